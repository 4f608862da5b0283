// What clients do whose every request is refused once as one that is too often.
import { IAM } from '@aws-sdk/client-iam';
import { SNS } from '@aws-sdk/client-sns';
import { SQS } from '@aws-sdk/client-sqs';
import { STS } from '@aws-sdk/client-sts';
import { check, equal, rejected } from './checking.mjs';
import { accessKeyId, alicloud, aliQueues, endpoint, queueName, secretKey } from './clients.mjs';

const options = { endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey: secretKey } };

check('aws_sdk_tries_again_in_each_of_its_modes', async () => {
  for (const retryMode of ['standard', 'adaptive']) {
    for (const [name, call] of Object.entries({
      sqs: () => new SQS({ ...options, retryMode }).listQueues({}),
      sns: () => new SNS({ ...options, retryMode }).createTopic({ Name: 'news' }),
      sts: () => new STS({ ...options, retryMode }).getCallerIdentity({}),
      iam: () => new IAM({ ...options, retryMode }).listUsers({}),
    })) {
      equal((await call()).$metadata.attempts, 2, `${name}, ${retryMode}`);
    }
  }
});

check('mns_says_that_it_is_too_often', async () => {
  const mns = alicloud();
  const error = await rejected(mns.createQueue('orders', {}));
  equal([error.code ?? error.name, String(error)].join(' ').includes('QpsLimitExceeded'), true, String(error));
  await mns.createQueue('orders', {});
});

check('ali_mns_says_that_it_is_too_often', async () => {
  const name = queueName();
  equal((await rejected(aliQueues().createP(name, {}))).Error.Code, 'QpsLimitExceeded', 'error');
  await aliQueues().createP(name, {});
});
