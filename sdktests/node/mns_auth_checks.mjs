// What the SDKs of Node are told of requests that are signed wrongly, on a server that verifies signatures.
import AliMNS from 'ali-mns';
import { accessKeyId, alicloud, aliRegion, mnsQueue, secretKey } from './clients.mjs';
import { check, equal, rejected } from './checking.mjs';

async function equalRefused(code, options) {
  const name = await mnsQueue(alicloud());
  const client = alicloud(options);
  for (const call of [() => client.getQueueAttributes(name), () => client.sendMessage(name, { MessageBody: 'hello' }), () => client.receiveMessage(name)]) {
    equal((await rejected(call())).name, `MNS${code}Error`, 'error');
  }
}

check('mns_wrong_secret', () => equalRefused('SignatureDoesNotMatch', { accessKeySecret: 'wrong' }));

check('mns_unknown_key', () => equalRefused('InvalidAccessKeyId', { accessKeyId: 'LTAINONE' }));

check('mns_token_of_no_session', () => equalRefused('InvalidAccessKeyId', { securityToken: 'token' }));

async function equalAliRefused(code, id, secret) {
  const account = new AliMNS.Account('127', id, secret);
  account.setGA(false);
  const queue = new AliMNS.MQBatch(await mnsQueue(alicloud()), account, aliRegion('east-1', 'us'));
  for (const call of [() => queue.getAttrsP(), () => queue.sendP('hello'), () => queue.recvP(0, 1)]) {
    equal((await rejected(call())).Error.Code, code, 'error');
  }
}

check('ali_mns_wrong_secret', () => equalAliRefused('SignatureDoesNotMatch', accessKeyId, 'wrong'));

check('ali_mns_unknown_key', () => equalAliRefused('InvalidAccessKeyId', 'LTAINONE', secretKey));
