// What MNS promises, seen through its two SDKs for Node: @alicloud/mns, the official one, which sends bodies as they
// are, and ali-mns, the community's, which base64-encodes them.
import { createHash } from 'node:crypto';
import { alicloud, AliMessage, aliQueue, aliQueues, endpoint, escapeXML, mnsQueue, queueName } from './clients.mjs';
import { check, equal, rejected, texts } from './checking.mjs';

const client = alicloud();

async function equalEmpty(name) {
  equal((await rejected(client.receiveMessage(name))).name, 'MNSMessageNotExistError', 'error of an empty receive');
}

check('mns_create_queue_answers_its_url', async () => {
  const name = queueName();
  const created = await client.createQueue(name);
  equal([created.code, created.headers.location], [201, `${endpoint}/queues/${name}`], 'created');
  const again = await client.createQueue(name);
  equal([again.code, again.headers.location], [204, `${endpoint}/queues/${name}`], 'created again');
  const error = await rejected(client.createQueue(name, { VisibilityTimeout: 31 }));
  equal(error.name, 'MNSQueueAlreadyExistError', 'created with other attributes');
});

check('mns_queue_attributes', async () => {
  const name = await mnsQueue(client, { VisibilityTimeout: 45 });
  await client.setQueueAttributes(name, { PollingWaitSeconds: 2 });
  const { body } = await client.getQueueAttributes(name);
  equal(
    [body.QueueName, body.VisibilityTimeout, body.PollingWaitSeconds, body.DelaySeconds, body.MessageRetentionPeriod],
    [name, '45', '2', '0', '345600'], 'attributes');
});

check('mns_list_queue_in_pages', async () => {
  const prefix = queueName('page');
  for (let n = 0; n < 3; n++) {
    await client.createQueue(`${prefix}-${n}`);
  }
  const { body } = await client.listQueue('', 2, prefix);
  equal(body.map((queue) => queue.QueueURL), [0, 1].map((n) => `${endpoint}/queues/${prefix}-${n}`), 'first page');
});

check('mns_missing_queue', async () => {
  equal((await rejected(client.getQueueAttributes(queueName()))).name, 'MNSQueueNotExistError', 'error');
});

check('mns_send_receive_delete', async () => {
  const name = await mnsQueue(client);
  const sent = await client.sendMessage(name, { MessageBody: 'hello' });
  equal([sent.code, sent.body.MessageBodyMD5], [201, createHash('md5').update('hello').digest('hex').toUpperCase()], 'sent');
  const { body } = await client.receiveMessage(name);
  equal([body.MessageBody, body.MessageId, body.DequeueCount, body.Priority], ['hello', sent.body.MessageId, '1', '8'], 'received');
  await equalEmpty(name);
  equal((await client.deleteMessage(name, body.ReceiptHandle)).code, 204, 'deleted');
});

check('mns_texts_come_back_as_sent', async () => {
  const name = await mnsQueue(client);
  for (const [what, text] of Object.entries(texts)) {
    await client.sendMessage(name, { MessageBody: escapeXML(text) });
    const { body } = await client.receiveMessage(name);
    equal(body.MessageBody, text, what);
    await client.deleteMessage(name, body.ReceiptHandle);
  }
});

check('mns_malformed_xml', async () => {
  const error = await rejected(client.sendMessage(await mnsQueue(client), { MessageBody: 'a < b' }));
  equal(error.name, 'MNSMalformedXMLError', 'error');
});

check('mns_batches', async () => {
  const name = await mnsQueue(client);
  const bodies = Array.from({ length: 16 }, (_, n) => `body ${String(n).padStart(2, '0')}`);
  const sent = await client.batchSendMessage(name, bodies.map((body) => ({ MessageBody: body })));
  equal(sent.body.length, 16, 'sent');
  const peeked = await client.batchPeekMessage(name, 16);
  equal(peeked.body.map((message) => message.MessageBody).sort(), bodies, 'peeked');
  const got = await client.batchReceiveMessage(name, 16);
  equal(got.body.map((message) => message.MessageBody).sort(), bodies, 'received');
  const handles = got.body.map((message) => message.ReceiptHandle);
  await client.deleteMessage(name, handles[0]);
  const deleted = await client.batchDeleteMessage(name, handles);
  equal(deleted.body.map((failed) => [failed.ErrorCode, failed.ReceiptHandle]), [['MessageNotExist', handles[0]]], 'failed');
  equal((await client.getQueueAttributes(name)).body.InactiveMessages, '0', 'in flight after the delete');
});

check('mns_change_visibility_gives_a_new_handle', async () => {
  const name = await mnsQueue(client);
  await client.sendMessage(name, { MessageBody: 'hello' });
  const { body: { ReceiptHandle: old } } = await client.receiveMessage(name);
  const { body: changed } = await client.changeMessageVisibility(name, old, 60);
  equal((await rejected(client.deleteMessage(name, old))).name, 'MNSMessageNotExistError', 'delete with the old handle');
  await client.deleteMessage(name, changed.ReceiptHandle);
});

check('mns_long_poll_wakes_at_a_send', async () => {
  const name = await mnsQueue(client);
  const poll = client.receiveMessage(name, 30);
  await client.sendMessage(name, { MessageBody: 'hello' });
  equal((await poll).body.MessageBody, 'hello', 'body');
});

check('ali_mns_creates_lists_and_deletes_queues', async () => {
  const name = queueName();
  await aliQueues().createP(name, { VisibilityTimeout: 45 });
  const { Queues } = await aliQueues().listP(name);
  equal(Queues.Queue.QueueURL.endsWith(`/queues/${name}`), true, `URL ${Queues.Queue.QueueURL}`);
  equal((await aliQueue(name).getAttrsP()).Queue.VisibilityTimeout, '45', 'attribute');
  await aliQueues().deleteP(name);
  equal((await rejected(aliQueue(name).getAttrsP())).Error.Code, 'QueueNotExist', 'error');
});

check('ali_mns_texts_come_back_as_sent', async () => {
  const name = await mnsQueue(client);
  const queue = aliQueue(name);
  for (const [what, text] of Object.entries(texts)) {
    await queue.sendP(text);
    const { Message } = await queue.recvP(5, 1);
    equal(Message.MessageBody, text, what);
    await queue.deleteP([Message.ReceiptHandle]);
  }
});

check('ali_mns_batches', async () => {
  const queue = aliQueue(await mnsQueue(client));
  await queue.sendP(['one', 'two', 'three'].map((text) => new AliMessage(text)));
  const { Messages } = await queue.recvP(5, 16);
  equal(Messages.Message.map((message) => message.MessageBody).sort(), ['one', 'three', 'two'], 'bodies');
  const { ChangeVisibility } = await queue.reserveP(Messages.Message[0].ReceiptHandle, 60);
  const error = await rejected(queue.deleteP(Messages.Message.map((message) => message.ReceiptHandle)));
  equal(error.Errors.Error.ErrorCode, 'MessageNotExist', 'delete with a handle that was replaced');
  await queue.deleteP([ChangeVisibility.ReceiptHandle]);
  equal((await queue.getAttrsP()).Queue.InactiveMessages, '0', 'in flight after the delete');
});
