// What SNS promises, seen through the AWS SDK for JavaScript, version 3, and AWS's own validator of messages.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { InvalidParameterException, NotFoundException, SNS } from '@aws-sdk/client-sns';
import MessageValidator from 'sns-validator';
import { endpoint, queueName, sqs, sqsQueue } from './clients.mjs';
import { check, equal, rejected, texts } from './checking.mjs';

const credentials = { accessKeyId: process.env.POLYMQ_ACCESS_KEY ?? 'test', secretAccessKey: 'test' };
const client = new SNS({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
const queues = sqs();

// The host pattern stands for the DNS entry of the recipe; all else of the validator is as it comes.
const validator = new MessageValidator(/^127\.0\.0\.1:\d+$/);
const validate = (message) => new Promise((resolve, reject) => {
  validator.validate(message, (error, valid) => (error ? reject(error) : resolve(valid)));
});

const topic = async (Attributes = {}) => (await client.createTopic({ Name: queueName(), Attributes })).TopicArn;

async function subscribed(TopicArn, Attributes = {}) {
  const url = await sqsQueue(queues);
  const { Attributes: { QueueArn } } = await queues.getQueueAttributes({ QueueUrl: url, AttributeNames: ['QueueArn'] });
  await client.subscribe({ TopicArn, Protocol: 'sqs', Endpoint: QueueArn, Attributes });
  return url;
}

const receive = async (QueueUrl) =>
  (await queues.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] })).Messages ?? [];

check('sns_messages_pass_the_validator', async () => {
  for (const SignatureVersion of ['1', '2']) {
    const arn = await topic({ SignatureVersion });
    const url = await subscribed(arn);
    for (const Message of Object.values(texts)) {
      await client.publish({ TopicArn: arn, Message, Subject: 'About' });
      const [{ Body }] = await receive(url);
      equal((await validate(JSON.parse(Body))).Message, Message, 'message');
      const error = await rejected(validate({ ...JSON.parse(Body), Message: 'another' }));
      equal(/signature/i.test(error.message), true, `refusal: ${error.message}`);
    }
  }
});

check('sns_publish_raw_and_filtered', async () => {
  const arn = await topic();
  const all = await subscribed(arn, { RawMessageDelivery: 'true' });
  const some = await subscribed(arn, { RawMessageDelivery: 'true', FilterPolicy: JSON.stringify({ kind: [{ prefix: 'or' }] }) });
  for (const StringValue of ['order', 'refund']) {
    const MessageAttributes = { kind: { DataType: 'String', StringValue } };
    await client.publish({ TopicArn: arn, Message: StringValue, MessageAttributes });
  }
  equal((await receive(all)).map((message) => message.Body).sort(), ['order', 'refund'], 'all');
  equal((await receive(some)).map((message) => message.MessageAttributes.kind.StringValue), ['order'], 'some');
});

check('sns_publish_batch_answers_each', async () => {
  const arn = await topic();
  const url = await subscribed(arn, { RawMessageDelivery: 'true' });
  const PublishBatchRequestEntries = [...Array(10).keys()].map((i) => ({ Id: `a${i}`, Message: `m${i}` }));
  const { Successful, Failed } = await client.publishBatch({ TopicArn: arn, PublishBatchRequestEntries });
  equal([Successful.map(({ Id }) => Id), Failed], [PublishBatchRequestEntries.map(({ Id }) => Id), []], 'answer');
  equal((await receive(url)).length, 10, 'messages');
});

check('sns_errors_have_their_classes', async () => {
  const missing = await rejected(client.publish({ TopicArn: 'arn:aws:sns:us-east-1:000000000000:none', Message: 'x' }));
  equal([missing instanceof NotFoundException, missing.message], [true, 'Topic does not exist'], 'missing topic');
  const wrong = await rejected(client.publish({ TopicArn: await topic(), Message: '' }));
  equal([wrong instanceof InvalidParameterException, wrong.message], [true, 'Invalid parameter: Empty message'], 'empty message');
});

check('sns_http_endpoint_validates', async () => {
  const got = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.end();
    got.push(Buffer.concat(chunks).toString());
    server.emit('message');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const next = async () => {
    if (got.length === 0) await once(server, 'message', { signal: AbortSignal.timeout(30_000) });
    return validate(got.shift()); // texts are parsed by the validator
  };
  try {
    for (const SignatureVersion of ['1', '2']) {
      const arn = await topic({ SignatureVersion });
      await client.subscribe({ TopicArn: arn, Protocol: 'http', Endpoint: `http://127.0.0.1:${server.address().port}/` });
      const asked = await next();
      equal([asked.Type, asked.SignatureVersion], ['SubscriptionConfirmation', SignatureVersion], 'type and version');
      equal((await fetch(asked.SubscribeURL)).status, 200, 'status of the link');
      await client.publish({ TopicArn: arn, Message: texts.unicode });
      const got = await next();
      equal([got.Message, got.SignatureVersion], [texts.unicode, SignatureVersion], 'message');
      await rejected(validate({ ...got, Message: 'another' }));
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
