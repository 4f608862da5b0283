// Sends and receives what it is told on standard input, so that one SDK's messages can be read with another's.
import { createInterface } from 'node:readline';
import * as clients from './clients.mjs';

function sqs() {
  const client = clients.sqs();
  const url = async (queue) => (await client.getQueueUrl({ QueueName: queue })).QueueUrl;
  return {
    async send(queue, text) {
      await client.sendMessage({ QueueUrl: await url(queue), MessageBody: text });
    },
    async receive(queue) {
      const QueueUrl = await url(queue);
      const { Messages: [message] } = await client.receiveMessage({ QueueUrl, WaitTimeSeconds: 5 });
      await client.deleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
      return message.Body;
    },
  };
}

function alicloud() {
  const client = clients.alicloud();
  return {
    async send(queue, text) {
      await client.sendMessage(queue, { MessageBody: clients.escapeXML(text) });
    },
    async receive(queue) {
      const { body } = await client.receiveMessage(queue, 5);
      await client.deleteMessage(queue, body.ReceiptHandle);
      return body.MessageBody;
    },
  };
}

function ali() {
  return {
    async send(queue, text) {
      await clients.aliQueue(queue).sendP(text);
    },
    async receive(name) {
      const queue = clients.aliQueue(name);
      const { Message: message } = await queue.recvP(5, 1);
      await queue.deleteP([message.ReceiptHandle]); // alone it is not waited for
      return message.MessageBody;
    },
  };
}

const reason = (error) => (error instanceof Error ? String(error) : JSON.stringify(error));

export async function talk(sdk) {
  const client = { sqs, alicloud, ali }[sdk]();
  for await (const line of createInterface({ input: process.stdin })) {
    const { op, queue, text } = JSON.parse(line);
    const answer = await (op === 'send' ? client.send(queue, text) : client.receive(queue)).then(
      (received) => ({ text: received }),
      (error) => ({ error: reason(error) }),
    );
    console.log(JSON.stringify(answer));
  }
}
