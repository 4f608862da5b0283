// What SMQ's control plane and Alibaba's STS promise, seen through the cores of Alibaba's clients of Node: the one that
// generated clients call, which signs by ACS3 or, of old, by HMAC-SHA1, and the one before it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenApi from '@alicloud/openapi-client';
import PopCore from '@alicloud/pop-core';
import Util from '@alicloud/tea-util';
import { check, equal } from './checking.mjs';
import { endpoint, queueName } from './clients.mjs';

const accessKeyId = process.env.POLYMQ_ACCESS_KEY ?? 'test';
const accessKeySecret = process.env.POLYMQ_SECRET_KEY ?? 'test'; // counts where the server verifies signatures
const SMQ = '2022-01-19';
const STS = '2015-04-01';

async function generated(action, version, query, credentials = {}, body = undefined, style = { style: 'RPC', reqBodyType: 'formData' }) {
  const client = new OpenApi.default(new OpenApi.Config({
    accessKeyId, accessKeySecret, endpoint: new URL(endpoint).host, protocol: 'http', ...credentials,
  }));
  const params = new OpenApi.Params({
    action, version, protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK', bodyType: 'json', ...style,
  });
  return (await client.callApi(params, new OpenApi.OpenApiRequest({ query, body }), new Util.RuntimeOptions({}))).body;
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

// The requests that generated clients send, for every action, and what comes back: smq_steps.json has them for the
// programs of all languages, with the parameters where the generated clients have them.
const text = readFileSync(join(process.env.POLYMQ_SDKTESTS ?? '..', 'smq_steps.json'), 'utf8');
const asTexts = (parameters = {}) => Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
const at = (document, path) => path.split('.').reduce((within, name) => within?.[name], document);

async function walk(call) {
  for (const [n, { action, query, form, want = {}, error }] of JSON.parse(text.replaceAll('$', queueName())).entries()) {
    const step = `step ${n + 1}, ${action}`;
    const answer = call(action, asTexts(query), form && asTexts(form));
    if (error) {
      equal(await code(answer), error, step);
      continue;
    }
    const document = JSON.parse(JSON.stringify(await answer)); // the old core's objects have no prototype
    for (const [path, value] of Object.entries(want)) {
      equal(at(document, path), value, `${step}, ${path}`);
    }
  }
}

for (const [name, signatureAlgorithm] of [['acs3', undefined], ['hmac_sha1', 'v2']]) {
  check(`smq_steps_generated_core_${name}`, () => walk((action, query, form) => generated(action, SMQ, query, { signatureAlgorithm }, form)));
}

check('smq_steps_generated_core_roa', () => walk(
  (action, query, form) => generated(action, SMQ, {}, {}, { ...query, ...form }, { style: 'ROA', reqBodyType: 'json' })));

for (const method of ['GET', 'POST']) {
  check(`smq_steps_old_core_${method.toLowerCase()}`, () => walk(
    (action, query, form) => old(SMQ).request(action, { ...query, ...form }, { method, formatParams: false })));
}

check('smq_old_core_of_another_format', async () => {
  for (const method of ['GET', 'POST']) {
    await old(SMQ).request('ListTopic', {}, { method });
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
