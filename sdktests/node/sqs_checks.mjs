// What SQS promises, seen through the AWS SDK for JavaScript, version 3. It checks the MD5 of every body by itself.
import {
  BatchEntryIdsNotDistinct, BatchRequestTooLong, EmptyBatchRequest, InvalidAttributeName, InvalidMessageContents,
  paginateListQueues, QueueDoesNotExist, QueueNameExists, ReceiptHandleIsInvalid, TooManyEntriesInBatchRequest,
} from '@aws-sdk/client-sqs';
import { endpoint, nameOf, queueName, sqs, sqsQueue } from './clients.mjs';
import { check, equal, rejected, texts } from './checking.mjs';

const client = sqs();

const send = (QueueUrl, MessageBody = 'hello', options = {}) =>
  client.sendMessage({ QueueUrl, MessageBody, ...options });

const receive = async (QueueUrl, options = {}) =>
  (await client.receiveMessage({ QueueUrl, WaitTimeSeconds: 0, ...options })).Messages ?? [];

const attribute = async (QueueUrl, name) =>
  (await client.getQueueAttributes({ QueueUrl, AttributeNames: [name] })).Attributes[name];

function equalError(error, type, code, status = 400) {
  equal(error instanceof type, true, `${error.name} is a ${type.name}`);
  equal(error.Code, code, 'code'); // from the x-amzn-query-error header
  equal(error.$metadata.httpStatusCode, status, 'status');
  equal(Boolean(error.$metadata.requestId), true, 'has a request id');
}

check('sqs_create_queue_answers_its_url', async () => {
  const name = queueName();
  const { QueueUrl } = await client.createQueue({ QueueName: name });
  equal([QueueUrl.startsWith(`${endpoint}/`), nameOf(QueueUrl)], [true, name], `URL ${QueueUrl}`);
  equal((await client.getQueueUrl({ QueueName: name })).QueueUrl, QueueUrl, 'GetQueueUrl');
});

check('sqs_create_queue_refuses_other_attributes', async () => {
  const name = queueName();
  await client.createQueue({ QueueName: name, Attributes: { VisibilityTimeout: '10' } });
  const error = await rejected(client.createQueue({ QueueName: name, Attributes: { VisibilityTimeout: '11' } }));
  equalError(error, QueueNameExists, 'QueueAlreadyExists');
});

check('sqs_missing_queue_has_its_own_exception', async () => {
  const error = await rejected(client.getQueueUrl({ QueueName: queueName() }));
  equalError(error, QueueDoesNotExist, 'AWS.SimpleQueueService.NonExistentQueue');
});

check('sqs_client_without_endpoint_uses_the_queue_url', async () => {
  const url = await sqsQueue(client);
  const plain = sqs({ endpoint: undefined });
  await plain.sendMessage({ QueueUrl: url, MessageBody: 'hello' });
  equal((await receive(url)).map((message) => message.Body), ['hello'], 'bodies');
});

check('sqs_list_queues_in_pages', async () => {
  const prefix = queueName('page');
  const urls = [];
  for (let n = 0; n < 5; n++) {
    urls.push((await client.createQueue({ QueueName: `${prefix}-${n}` })).QueueUrl);
  }
  const pages = [];
  for await (const page of paginateListQueues({ client, pageSize: 2 }, { QueueNamePrefix: prefix })) {
    pages.push(page.QueueUrls);
  }
  equal(pages, [urls.slice(0, 2), urls.slice(2, 4), urls.slice(4)], 'pages');
});

check('sqs_queue_attributes_come_back', async () => {
  const url = await sqsQueue(client, { VisibilityTimeout: '45', DelaySeconds: '3' });
  await client.setQueueAttributes({ QueueUrl: url, Attributes: { DelaySeconds: '4' } });
  const { Attributes } = await client.getQueueAttributes({ QueueUrl: url, AttributeNames: ['All'] });
  equal([Attributes.VisibilityTimeout, Attributes.DelaySeconds], ['45', '4'], 'attributes');
  const error = await rejected(client.setQueueAttributes({ QueueUrl: url, Attributes: { Colour: 'red' } }));
  equalError(error, InvalidAttributeName, 'InvalidAttributeName');
});

check('sqs_send_receive_delete', async () => {
  const url = await sqsQueue(client);
  const sent = await send(url);
  const [message] = await receive(url);
  equal([message.Body, message.MessageId], ['hello', sent.MessageId], 'body and id');
  equal(await receive(url), [], 'receive of a message in flight');
  await client.deleteMessage({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle });
  equal(await attribute(url, 'ApproximateNumberOfMessagesNotVisible'), '0', 'in flight after the delete');
});

check('sqs_texts_come_back_as_sent', async () => {
  const url = await sqsQueue(client);
  for (const [name, text] of Object.entries(texts)) {
    await send(url, text);
    const [message] = await receive(url);
    equal(message.Body, text, name);
    await client.deleteMessage({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle });
  }
});

check('sqs_bad_body_is_refused', async () => {
  const error = await rejected(send(await sqsQueue(client), 'bell \u0007'));
  equalError(error, InvalidMessageContents, 'InvalidMessageContents');
});

check('sqs_message_attributes', async () => {
  const url = await sqsQueue(client);
  const MessageAttributes = {
    colour: { DataType: 'String', StringValue: 'red' },
    price: { DataType: 'Number', StringValue: '99.120' },
    bytes: { DataType: 'Binary', BinaryValue: Uint8Array.from({ length: 256 }, (_, n) => n) },
  };
  const sent = await send(url, 'hello', { MessageAttributes });
  const [message] = await receive(url, { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] });
  const got = message.MessageAttributes;
  equal([got.colour, got.price], [MessageAttributes.colour, MessageAttributes.price], 'texts');
  equal([...got.bytes.BinaryValue], [...MessageAttributes.bytes.BinaryValue], 'bytes');
  equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes, 'MD5');
  equal(message.Attributes.ApproximateReceiveCount, '1', 'receive count');
});

check('sqs_visibility_timeout_passes', async () => {
  const url = await sqsQueue(client);
  await send(url);
  const [first] = await receive(url, { VisibilityTimeout: 1 });
  const [second] = await receive(url, { WaitTimeSeconds: 10 });
  equal(second.MessageId, first.MessageId, 'id');
  await client.changeMessageVisibility({ QueueUrl: url, ReceiptHandle: second.ReceiptHandle, VisibilityTimeout: 0 });
  equal((await receive(url)).length, 1, 'messages after a timeout of zero');
});

check('sqs_delayed_message_arrives_later', async () => {
  const url = await sqsQueue(client);
  await send(url, 'hello', { DelaySeconds: 5 });
  equal(await receive(url), [], 'received before the delay');
  equal((await receive(url, { WaitTimeSeconds: 20 })).length, 1, 'messages after the delay');
});

check('sqs_long_poll_wakes_at_a_send', async () => {
  const url = await sqsQueue(client);
  const poll = receive(url, { WaitTimeSeconds: 20 });
  await send(url);
  equal((await poll).map((message) => message.Body), ['hello'], 'bodies');
});

check('sqs_aborted_long_poll_takes_no_message', async () => {
  const url = await sqsQueue(client);
  const abort = new AbortController();
  const poll = client.receiveMessage({ QueueUrl: url, WaitTimeSeconds: 20 }, { abortSignal: abort.signal });
  abort.abort();
  await rejected(poll);
  await send(url);
  const [message] = await receive(url, { WaitTimeSeconds: 10, MessageSystemAttributeNames: ['All'] });
  equal(message.Attributes.ApproximateReceiveCount, '1', 'receive count');
});

check('sqs_bad_receipt_handle_has_its_own_exception', async () => {
  const url = await sqsQueue(client);
  const error = await rejected(client.deleteMessage({ QueueUrl: url, ReceiptHandle: 'not-a-handle' }));
  equalError(error, ReceiptHandleIsInvalid, 'ReceiptHandleIsInvalid', 404);
});

check('sqs_batches', async () => {
  const url = await sqsQueue(client);
  const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `e${n}`, MessageBody: `body ${n}` }));
  const sent = await client.sendMessageBatch({ QueueUrl: url, Entries });
  equal(sent.Successful.map((entry) => entry.Id), Entries.map((entry) => entry.Id), 'ids');
  equal(sent.Failed ?? [], [], 'failed');
  const messages = await receive(url, { MaxNumberOfMessages: 10 });
  equal(messages.map((message) => message.Body).sort(), Entries.map((entry) => entry.MessageBody), 'bodies');
  const handles = messages.map((message, n) => ({ Id: `e${n}`, ReceiptHandle: message.ReceiptHandle }));
  const changed = await client.changeMessageVisibilityBatch({
    QueueUrl: url, Entries: handles.map((handle) => ({ ...handle, VisibilityTimeout: 60 })),
  });
  equal(changed.Successful.length, 10, 'visibilities changed');
  const deleted = await client.deleteMessageBatch({
    QueueUrl: url, Entries: [...handles.slice(1), { Id: 'bad', ReceiptHandle: 'not-a-handle' }],
  });
  equal(deleted.Successful.length, 9, 'deleted');
  equal(deleted.Failed.map((entry) => [entry.Id, entry.Code]), [['bad', 'ReceiptHandleIsInvalid']], 'not deleted');
});

check('sqs_batches_that_fail_as_a_whole', async () => {
  const url = await sqsQueue(client);
  const entry = { Id: 'a', MessageBody: 'hello' };
  const long = 'x'.repeat(600000);
  for (const [type, Entries] of [
    [EmptyBatchRequest, []],
    [TooManyEntriesInBatchRequest, Array.from({ length: 11 }, (_, n) => ({ ...entry, Id: `e${n}` }))],
    [BatchEntryIdsNotDistinct, [entry, entry]],
    [BatchRequestTooLong, [{ Id: 'a', MessageBody: long }, { Id: 'b', MessageBody: long }]],
  ]) {
    const error = await rejected(client.sendMessageBatch({ QueueUrl: url, Entries }));
    equalError(error, type, `AWS.SimpleQueueService.${type.name}`);
  }
});

check('sqs_purge_and_delete_queue', async () => {
  const url = await sqsQueue(client);
  await send(url);
  await client.purgeQueue({ QueueUrl: url });
  equal(await receive(url), [], 'received after the purge');
  await client.deleteQueue({ QueueUrl: url });
  equalError(await rejected(receive(url)), QueueDoesNotExist, 'AWS.SimpleQueueService.NonExistentQueue');
});

check('sqs_dead_letters_and_redrive', async () => {
  const dead = await sqsQueue(client);
  const deadLetterTargetArn = await attribute(dead, 'QueueArn');
  const url = await sqsQueue(client, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }) });
  equal((await client.listDeadLetterSourceQueues({ QueueUrl: dead })).queueUrls, [url], 'sources');
  const sent = await send(url);
  equal([(await receive(url, { VisibilityTimeout: 0 })).length, (await receive(url)).length], [1, 0], 'receives');
  const [letter] = await receive(dead, { VisibilityTimeout: 0, MessageSystemAttributeNames: ['All'] });
  equal([letter.Body, letter.MessageId], ['hello', sent.MessageId], 'body and id');
  equal(letter.Attributes.DeadLetterQueueSourceArn, await attribute(url, 'QueueArn'), 'source');
  const { TaskHandle } = await client.startMessageMoveTask({ SourceArn: deadLetterTargetArn });
  const [back] = await receive(url, { WaitTimeSeconds: 20 });
  equal([back.Body, Boolean(TaskHandle)], ['hello', true], 'body, and that the task has a handle');
  const error = await rejected(client.cancelMessageMoveTask({ TaskHandle: 'nonsense' }));
  equal([error.name, error.Code], ['InvalidParameterValue', 'InvalidParameterValue'], 'error');
});

const fifoQueue = async (Attributes = {}) =>
  (await client.createQueue({ QueueName: `${queueName()}.fifo`, Attributes: { FifoQueue: 'true', ...Attributes } })).QueueUrl;

check('sqs_fifo_order_and_deduplication', async () => {
  const url = await fifoQueue({ ContentBasedDeduplication: 'true' });
  const Entries = ['a1', 'b1', 'a2', 'a1'].map((body, n) => ({ Id: `${n}`, MessageBody: body, MessageGroupId: body[0] }));
  const { Successful } = await client.sendMessageBatch({ QueueUrl: url, Entries });
  equal(Successful[3].MessageId, Successful[0].MessageId, 'id of a duplicate');
  const numbers = Successful.slice(0, 3).map((entry) => entry.SequenceNumber);
  equal([...numbers].sort(), numbers, 'sequence numbers in order');
  const [first] = await receive(url);
  const others = await receive(url, { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] });
  equal([first.Body, ...others.map(({ Body }) => Body)], ['a1', 'b1'], 'bodies while a group is in flight');
  equal([others[0].Attributes.MessageGroupId, others[0].Attributes.SequenceNumber], ['b', numbers[1]], 'attributes');
  await client.deleteMessage({ QueueUrl: url, ReceiptHandle: first.ReceiptHandle });
  equal((await receive(url)).map(({ Body }) => Body), ['a2'], 'body after the delete');
});

check('sqs_fifo_parameters_are_validated', async () => {
  const url = await fifoQueue();
  equal((await rejected(send(url, 'hello', { MessageDeduplicationId: 'd' }))).Code, 'MissingParameter', 'without a group');
  equal((await rejected(send(url, 'hello', { MessageGroupId: 'g' }))).Code, 'InvalidParameterValue', 'without an id');
});
