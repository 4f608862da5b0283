// Presigned URLs, on a server that verifies signatures.
import { STS } from '@aws-sdk/client-sts';
import { check, equal } from './checking.mjs';
import { accessKeyId, endpoint, secretKey, sqs, sqsQueue } from './clients.mjs';
import { get, presigned } from './presigning.mjs';

const own = { accessKeyId, secretAccessKey: secretKey };
const body = 'by link +1 & Ω';
const send = { Action: 'SendMessage', MessageBody: body };

async function bodies(QueueUrl) {
  const { Messages = [] } = await sqs().receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
  return Messages.map((message) => message.Body);
}

async function does(credentials) {
  const queue = await sqsQueue(sqs());
  equal(await get(await presigned(queue, credentials, send)), [200, undefined], 'answer');
  equal(await bodies(queue), [body], 'bodies');
}

const refused = async (url, status, code) => equal(await get(url), [status, code], url);

check('a presigned URL does what it was made for', () => does(own));

check('a presigned URL is good as it is', async () => {
  const queue = await sqsQueue(sqs());
  const good = await presigned(queue, own, send);
  await refused(good.replace('SendMessage', 'PurgeQueue'), 403, 'SignatureDoesNotMatch');
  await refused(good.replace('by%20link', 'another'), 403, 'SignatureDoesNotMatch');
  await refused(good.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'), 403, 'SignatureDoesNotMatch');
  await refused(`${good}&DelaySeconds=1`, 403, 'SignatureDoesNotMatch');
  await refused(good.replace(/&X-Amz-Signature=[0-9a-f]+/, ''), 400, 'IncompleteSignature');
  equal(await bodies(queue), [], 'bodies');
});

check('a presigned URL ends', async () => {
  const queue = await sqsQueue(sqs());
  await refused(await presigned(queue, own, send, new Date(Date.now() - 3600_000)), 403, 'SignatureDoesNotMatch');
  equal(await bodies(queue), [], 'bodies');
});

check('a presigned URL of a session', async () => {
  const sts = new STS({ endpoint, region: 'us-east-1', credentials: own });
  const [key, another] = [(await sts.getSessionToken({})).Credentials, (await sts.getSessionToken({})).Credentials];
  const session = { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey, sessionToken: key.SessionToken };
  await does(session);
  const queue = await sqsQueue(sqs());
  await refused(await presigned(queue, { ...session, sessionToken: another.SessionToken }, send), 403, 'InvalidClientTokenId');
  const good = await presigned(queue, session, send);
  await refused(good.replace(/&X-Amz-Security-Token=[^&]+/, ''), 403, 'SignatureDoesNotMatch');
  equal(await bodies(queue), [], 'bodies');
});
