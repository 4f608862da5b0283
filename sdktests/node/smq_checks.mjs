// What SMQ's control plane and Alibaba's STS promise, seen through the cores of Alibaba's clients of Node: the one that
// generated clients call, which signs by ACS3 or, of old, by HMAC-SHA1, and the one before it.
import OpenApi from '@alicloud/openapi-client';
import PopCore from '@alicloud/pop-core';
import Util from '@alicloud/tea-util';
import { check, equal } from './checking.mjs';
import { endpoint, queueName } from './clients.mjs';

const accessKeyId = process.env.POLYMQ_ACCESS_KEY ?? 'test';
const accessKeySecret = process.env.POLYMQ_SECRET_KEY ?? 'test'; // counts where the server verifies signatures
const SMQ = '2022-01-19';
const STS = '2015-04-01';

async function generated(action, version, query, credentials = {}) {
  const client = new OpenApi.default(new OpenApi.Config({
    accessKeyId, accessKeySecret, endpoint: new URL(endpoint).host, protocol: 'http', ...credentials,
  }));
  const params = new OpenApi.Params({
    action, version, protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json',
  });
  const { body } = await client.callApi(params, new OpenApi.OpenApiRequest({ query }), new Util.RuntimeOptions({}));
  return body;
}

const old = (apiVersion, credentials = {}) => new PopCore({ accessKeyId, accessKeySecret, endpoint, apiVersion, ...credentials });

async function code(promise) {
  try {
    await promise;
  } catch (error) {
    return error.code;
  }
  throw new Error('it succeeded');
}

check('smq_generated_core', async () => {
  for (const signatureAlgorithm of [undefined, 'v2']) {
    const QueueName = queueName();
    const created = await generated('CreateQueue', SMQ, { QueueName, DelaySeconds: '7', 'Tag.1.Key': 'k 1', 'Tag.1.Value': 'v*~' }, { signatureAlgorithm });
    equal([created.Code, created.Success], [200, true], 'created');
    const { Data } = await generated('GetQueueAttributes', SMQ, { QueueName }, { signatureAlgorithm });
    equal([Data.DelaySeconds, Data.Tags], [7, [{ TagKey: 'k 1', TagValue: 'v*~' }]], 'attributes');
    equal(await code(generated('GetQueueAttributes', SMQ, { QueueName: queueName('none') }, { signatureAlgorithm })), 'QueueNotExist', 'code');
  }
});

check('smq_old_core', async () => {
  for (const method of ['GET', 'POST']) {
    const QueueName = queueName();
    await old(SMQ).request('CreateQueue', { QueueName, VisibilityTimeout: 45 }, { method });
    const { Data } = await old(SMQ).request('GetQueueAttributes', { QueueName }, { method });
    equal(Data.VisibilityTimeout, 45, 'visibility timeout');
    equal(await code(old(SMQ).request('DeleteTopic', { TopicName: 'a', Format: 'YAML' }, { method })), 'InvalidParameter', 'code');
  }
});

check('sts_assume_role', async () => {
  const { AccountId } = await generated('GetCallerIdentity', STS, {});
  const { Credentials, AssumedRoleUser } = await generated('AssumeRole', STS, { RoleArn: `acs:ram::${AccountId}:role/worker`, RoleSessionName: 'session' });
  const session = { accessKeyId: Credentials.AccessKeyId, accessKeySecret: Credentials.AccessKeySecret, securityToken: Credentials.SecurityToken };
  for (const who of [await generated('GetCallerIdentity', STS, {}, session), await old(STS, session).request('GetCallerIdentity', {}, { method: 'POST' })]) {
    equal([who.IdentityType, who.PrincipalId], ['AssumedRoleUser', AssumedRoleUser.AssumedRoleId], 'identity');
  }
});
