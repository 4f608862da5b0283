// Clients of a server that has an authority of its own, whose certificate is at POLYMQ_CA: they trust what they are told.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { IAM } from '@aws-sdk/client-iam';
import { SNS } from '@aws-sdk/client-sns';
import { SQS } from '@aws-sdk/client-sqs';
import { STS } from '@aws-sdk/client-sts';
import { check, equal, rejected } from './checking.mjs';
import { accessKeyId, alicloud, endpoint, queueName, secretKey } from './clients.mjs';

const options = { endpoint, region: 'us-east-1', maxAttempts: 1, credentials: { accessKeyId, secretAccessKey: secretKey } };
const untrusted = ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'];

const calls = {
  sqs: (more) => new SQS({ ...options, ...more }).createQueue({ QueueName: queueName() }),
  sns: (more) => new SNS({ ...options, ...more }).createTopic({ Name: queueName() }),
  sts: (more) => new STS({ ...options, ...more }).getCallerIdentity({}),
  iam: (more) => new IAM({ ...options, ...more }).listUsers({}),
};

check('aws_sdk_trusts_the_bundle_it_is_given', async () => {
  const ca = readFileSync(process.env.POLYMQ_CA);
  for (const call of Object.values(calls)) {
    await call({ requestHandler: { httpsAgent: new Agent({ ca }) } });
  }
});

check('aws_sdk_does_not_trust_it_else', async () => {
  equal(endpoint.slice(0, 8), 'https://', 'endpoint');
  for (const [name, call] of Object.entries(calls)) {
    const error = await rejected(call({}));
    equal(untrusted.includes(error.code), true, `${name}: ${error}`);
  }
});

check('mns_does_not_trust_it_else', async () => {
  const error = await rejected(alicloud().createQueue(queueName(), {}));
  equal(untrusted.includes(error.code) || /certificate/.test(String(error)), true, String(error));
});
