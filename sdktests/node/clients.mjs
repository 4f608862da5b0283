// Clients of the SDKs, set up as an application would, but for the endpoint.
import { randomUUID } from 'node:crypto';
import { SQS } from '@aws-sdk/client-sqs';
import AlicloudMNS from '@alicloud/mns';
import AliMNS from 'ali-mns';

export const endpoint = process.env.POLYMQ_ENDPOINT ?? 'http://127.0.0.1:4566';
export const accessKeyId = process.env.POLYMQ_ACCESS_KEY ?? 'test';
export const secretKey = process.env.POLYMQ_SECRET_KEY ?? 'test'; // counts where the server verifies signatures
const securityToken = process.env.POLYMQ_SECURITY_TOKEN; // of temporary keys

export function sqs(options = {}) {
  const credentials = { accessKeyId, secretAccessKey: secretKey, sessionToken: securityToken };
  return new SQS({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1, ...options });
}

// The official SDK. It sends bodies as they are, also where XML gives a character a meaning: its callers escape.
export function alicloud(options = {}) {
  return new AlicloudMNS('127', { endpoint, accessKeyId, accessKeySecret: secretKey, securityToken, ...options });
}

// The community's SDK; it base64-encodes bodies. It makes its host name itself, so it comes through a proxy, polymq
// being the proxy: the request target is then a whole URL. None of the other SDKs here heeds the variables.
process.env.HTTP_PROXY = endpoint;
process.env.NO_PROXY = process.env.no_proxy = '';
const aliAccount = new AliMNS.Account('127', accessKeyId, secretKey);
aliAccount.setGA(false); // no pings to a web analytics service

export const aliRegion = (city, zone) => new AliMNS.Region(city, undefined, zone);
const usEast1 = aliRegion('east-1', 'us');

export const aliQueues = (region = usEast1) => new AliMNS.MNS(aliAccount, region);
export const aliQueue = (name) => new AliMNS.MQBatch(name, aliAccount, usEast1);
export const aliTopics = () => new AliMNS.MNSTopic(aliAccount, usEast1);
export const aliTopic = (name) => new AliMNS.Topic(name, aliAccount, usEast1);
export const AliMessage = AliMNS.Msg;

// A name that no other check uses, valid in SQS and MNS.
export const queueName = (prefix = 'orders') => `${prefix}-${randomUUID().slice(0, 13)}`;

export async function sqsQueue(client, attributes = {}) {
  const { QueueUrl } = await client.createQueue({ QueueName: queueName(), Attributes: attributes });
  return QueueUrl;
}

export async function mnsQueue(client, attributes = {}) {
  const name = queueName();
  await client.createQueue(name, attributes);
  return name;
}

export const escapeXML = (text) => text.replace(/[&<>\r]/g, (char) => `&#${char.charCodeAt(0)};`);

export const nameOf = (url) => url.slice(url.lastIndexOf('/') + 1);
