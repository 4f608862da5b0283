// What sqs-consumer and sqs-producer promise. They pass errors on to listeners, so a check fails by an unexpected one.
import { once } from 'node:events';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Consumer } from 'sqs-consumer';
import { Producer } from 'sqs-producer';
import { queueName, sqs, sqsQueue } from './clients.mjs';
import { check, equal, rejected, texts } from './checking.mjs';

const client = sqs({ maxAttempts: 3 });

const patience = 60_000; // milliseconds

const producer = (queueUrl, options = {}) => Producer.create({ queueUrl, sqs: client, ...options });

const counts = async (QueueUrl) => {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
  const { Attributes } = await client.getQueueAttributes({ QueueUrl, AttributeNames: names });
  return names.map((name) => Number(Attributes[name]));
};

// Runs a consumer until its handler, which handlerFor gives, calls done; gives what done was called with.
async function consume(queueUrl, options, handlerFor) {
  const { promise: finished, resolve: done, reject } = withResolvers();
  const consumer = Consumer.create({
    queueUrl, sqs: client, waitTimeSeconds: 5, pollingCompleteWaitTimeMs: patience, suppressFifoWarning: true,
    ...handlerFor(done), ...options,
  });
  consumer.on('error', (error) => {
    if (error.name !== 'StandardError') reject(error); // which a handler of batches throws on purpose
  });
  consumer.on('timeout_error', () => {});
  consumer.on('processing_error', () => {});
  const timer = setTimeout(() => reject(new Error(`not done after ${patience} ms`)), patience);
  consumer.start();
  try {
    return await finished;
  } finally {
    clearTimeout(timer);
    const stopped = once(consumer, 'stopped');
    consumer.stop({ abort: options.abort ?? false });
    await stopped;
  }
}

// As Promise.withResolvers, which Node has from version 22.
function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

check('consumer_handles_and_deletes_each_message', async () => {
  const url = await sqsQueue(client);
  const wanted = Object.values(texts).map((body, n) => ({ id: `text-${n}`, body }));
  equal((await producer(url).send(wanted)).length, wanted.length, 'results of the producer');
  const bodies = [];
  await consume(url, {}, (done) => ({
    handleMessage: async (message) => {
      bodies.push(message.Body);
      if (bodies.length === wanted.length) done();
      return message;
    },
  }));
  equal(bodies.sort(), wanted.map(({ body }) => body).sort(), 'bodies');
  equal(await counts(url), [0, 0], 'messages left');
});

check('consumer_of_batches_deletes_what_it_acknowledges', async () => {
  const url = await sqsQueue(client);
  await producer(url).send(Array.from({ length: 25 }, (_, n) => `${n}`)); // three requests
  equal(await producer(url).queueSize(), 25, 'size of the queue');
  const seen = new Set();
  await consume(url, { batchSize: 10, attributeNames: ['All'] }, (done) => ({
    handleMessageBatch: async (messages) => {
      messages.forEach(({ Body }) => seen.add(Body));
      if (seen.size === 25) done();
      return messages.filter(({ Body }) => Number(Body) % 5 !== 0);
    },
  }));
  equal(await counts(url), [0, 5], 'messages left');
});

check('consumer_gets_attributes', async () => {
  const url = await sqsQueue(client);
  const messageAttributes = {
    colour: { DataType: 'String', StringValue: 'rød' },
    image: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255) },
  };
  await producer(url).send({ id: 'one', body: 'hello', messageAttributes });
  const message = await consume(
    url,
    { messageAttributeNames: ['All'], messageSystemAttributeNames: ['ApproximateReceiveCount'] },
    (done) => ({ handleMessage: async (got) => (done(got), got) }),
  );
  equal(message.MessageAttributes.colour.StringValue, 'rød', 'text');
  equal([...message.MessageAttributes.image.BinaryValue], [0, 255], 'bytes');
  equal(message.Attributes, { ApproximateReceiveCount: '1' }, 'system attributes');
});

check('consumer_gets_a_message_again_after_an_error', async () => {
  const url = await sqsQueue(client);
  await producer(url).send('hello');
  const counted = [];
  await consume(
    url,
    { terminateVisibilityTimeout: true, messageSystemAttributeNames: ['ApproximateReceiveCount'] },
    (done) => ({
      handleMessage: async (message) => {
        counted.push(message.Attributes.ApproximateReceiveCount);
        if (counted.length < 3) throw new Error('not yet');
        done();
        return message;
      },
    }),
  );
  equal(counted, ['1', '2', '3'], 'receive counts');
  equal(await counts(url), [0, 0], 'messages left');
});

check('consumer_gets_a_message_again_when_it_takes_too_long', async () => {
  const url = await sqsQueue(client, { VisibilityTimeout: '1' });
  await producer(url).send('hello');
  let runs = 0;
  await consume(url, { handleMessageTimeout: 100 }, (done) => ({
    handleMessage: async (message) => {
      if (++runs === 1) await new Promise(() => {}); // for ever
      done();
      return message;
    },
  }));
  equal(await counts(url), [0, 0], 'messages left');
});

check('consumer_heartbeat_keeps_a_message', async () => {
  const url = await sqsQueue(client);
  await producer(url).send('hello');
  let runs = 0;
  const other = await consume(url, { visibilityTimeout: 8, heartbeatInterval: 1 }, (done) => ({
    handleMessage: async (message) => {
      runs++;
      const { Messages } = await client.receiveMessage({ QueueUrl: url, WaitTimeSeconds: 10 });
      done(Messages);
      await delay(500); // the delete must not meet a heartbeat
      return message;
    },
  }));
  equal([runs, other], [1, undefined], 'runs, and what another receives meanwhile');
  equal(await counts(url), [0, 0], 'messages left');
});

check('consumer_that_aborts_its_poll_takes_nothing', async () => {
  const url = await sqsQueue(client);
  const closed = []; // of the consumer's connections, which end after it has stopped
  const httpAgent = new Agent();
  const connect = httpAgent.createConnection;
  httpAgent.createConnection = (...how) => {
    const socket = connect.apply(httpAgent, how);
    closed.push(once(socket, 'close'));
    return socket;
  };
  await consume(url, { sqs: sqs({ requestHandler: { httpAgent } }), waitTimeSeconds: 20, abort: true, pollingCompleteWaitTimeMs: 0 }, (done) => {
    setTimeout(done, 200);
    return { handleMessage: async () => {} };
  });
  equal(closed.length > 0, true, 'connections of the consumer');
  await Promise.all(closed);
  await producer(url).send('hello');
  const { Messages } = await client.receiveMessage({ QueueUrl: url, WaitTimeSeconds: 5 });
  equal(Messages?.map(({ Body }) => Body), ['hello'], 'bodies');
});

check('consumer_of_a_missing_queue_says_so', async () => {
  const url = (await sqsQueue(client)).replace(/[^/]*$/, queueName());
  const error = await rejected(consume(url, {}, () => ({ handleMessage: async () => {} })));
  equal([error.code, error.statusCode], ['QueueDoesNotExist', 400], `code and status of ${error}`);
});

check('producer_reports_what_failed', async () => {
  const url = await sqsQueue(client, { MaximumMessageSize: '1024' });
  const messages = [{ id: 'short', body: 'hello' }, { id: 'long', body: 'x'.repeat(2000) }];
  equal(String(await rejected(producer(url).send(messages))), 'Error: Failed to send messages: long', 'error');
  equal(await counts(url), [1, 0], 'messages sent');
});

check('consumer_that_always_fails_fills_the_dead_letter_queue', async () => {
  const dead = await sqsQueue(client);
  const { Attributes } = await client.getQueueAttributes({ QueueUrl: dead, AttributeNames: ['QueueArn'] });
  const url = await sqsQueue(client, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 2 }) });
  await producer(url).send(['poison', 'good']);
  const runs = { poison: 0, good: 0 };
  const letter = await consume(url, { terminateVisibilityTimeout: true, waitTimeSeconds: 1 }, (done) => {
    client.receiveMessage({ QueueUrl: dead, WaitTimeSeconds: 20 }).then(({ Messages }) => done(Messages?.[0]));
    return {
      handleMessage: async (message) => {
        runs[message.Body]++;
        if (message.Body === 'poison') throw new Error('for ever');
        return message;
      },
    };
  });
  equal([letter.Body, runs], ['poison', { poison: 2, good: 1 }], 'dead letter, and runs of the handler');
});

check('consumer_of_a_fifo_queue_keeps_the_order_of_a_group', async () => {
  const QueueName = `${queueName()}.fifo`;
  const { QueueUrl: url } = await client.createQueue({ QueueName, Attributes: { FifoQueue: 'true' } });
  const bodies = Array.from({ length: 24 }, (_, n) => `${'abc'[n % 3]}${String(n).padStart(2, '0')}`);
  await producer(url).send(bodies.map((body) => ({ id: body, body, groupId: body[0], deduplicationId: body })));
  await producer(url).send({ id: 'again', body: 'a duplicate', groupId: 'a', deduplicationId: bodies[0] });
  const seen = [];
  let failures = 0;
  await consume(url, { batchSize: 10, terminateVisibilityTimeout: true }, (done) => ({
    handleMessageBatch: async (messages) => {
      if (failures++ < 2) throw new Error('not yet'); // all of the batch come again, in the same order
      seen.push(...messages.map(({ Body }) => Body));
      if (seen.length === bodies.length) done();
      return messages;
    },
  }));
  const grouped = (all) => ['a', 'b', 'c'].map((group) => all.filter((body) => body[0] === group));
  equal(grouped(seen), grouped(bodies), 'bodies by group');
  equal(await counts(url), [0, 0], 'messages left');
});
