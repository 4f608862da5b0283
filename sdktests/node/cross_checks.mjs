// What MNS and SQS promise each other: one queue, one text, whichever SDK writes and whichever reads.
import {
  alicloud, aliQueue, aliQueues, aliRegion, escapeXML, mnsQueue, nameOf, queueName, sqs, sqsQueue,
} from './clients.mjs';
import { check, equal, rejected, texts } from './checking.mjs';

const client = sqs();
const mns = alicloud();

async function receiveBySQS(name) {
  const { QueueUrl } = await client.getQueueUrl({ QueueName: name });
  const { Messages } = await client.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 });
  await client.deleteMessage({ QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle });
  return Messages[0].Body;
}

check('cross_text_from_alicloud_to_sqs', async () => {
  const name = await mnsQueue(mns);
  for (const [what, text] of Object.entries(texts)) {
    await mns.sendMessage(name, { MessageBody: escapeXML(text) });
    equal(await receiveBySQS(name), text, what);
  }
});

check('cross_text_from_ali_mns_to_sqs', async () => {
  const name = await mnsQueue(mns);
  for (const [what, text] of Object.entries(texts)) {
    await aliQueue(name).sendP(text);
    equal(await receiveBySQS(name), text, what);
  }
});

check('cross_text_from_sqs_to_both', async () => {
  const url = await sqsQueue(client);
  const queue = aliQueue(nameOf(url));
  for (const [what, text] of Object.entries(texts)) {
    await client.sendMessage({ QueueUrl: url, MessageBody: text });
    const { body } = await mns.receiveMessage(nameOf(url), 5);
    equal(body.MessageBody, text, `${what}, by @alicloud/mns`);
    await mns.deleteMessage(nameOf(url), body.ReceiptHandle);
    await client.sendMessage({ QueueUrl: url, MessageBody: text });
    const { Message } = await queue.recvP(5, 1);
    equal(Message.MessageBody, text, `${what}, by ali-mns`);
    await queue.deleteP([Message.ReceiptHandle]);
  }
});

check('cross_region_of_the_host_name', async () => {
  const name = queueName();
  await aliQueues(aliRegion('hangzhou', 'cn')).createP(name); // at 127.mns.cn-hangzhou.aliyuncs.com
  const { QueueUrl } = await sqs({ region: 'cn-hangzhou' }).getQueueUrl({ QueueName: name });
  equal(nameOf(QueueUrl), name, 'name in the URL of the same region');
  equal((await rejected(client.getQueueUrl({ QueueName: name }))).name, 'QueueDoesNotExist', 'error in another region');
});
