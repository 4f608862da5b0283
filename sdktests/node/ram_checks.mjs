// Users, policies and roles of RAM, made through Alibaba's clients of Node, on a server that enforces policies, and what
// the MNS SDK may with their keys and with STS's. POLYMQ_ACCESS_KEY is an account's own.
import PopCore from '@alicloud/pop-core';
import { check, equal, rejected } from './checking.mjs';
import { alicloud, endpoint, queueName } from './clients.mjs';

const own = { accessKeyId: process.env.POLYMQ_ACCESS_KEY, accessKeySecret: process.env.POLYMQ_SECRET_KEY };
const call = (apiVersion, action, parameters, key = own) => new PopCore({ ...key, endpoint, apiVersion }).request(action, parameters, { method: 'POST' });
const ram = (action, parameters, key) => call('2015-05-01', action, parameters, key);
const sts = (action, parameters, key) => call('2015-04-01', action, parameters, key);

const policy = (...Statement) => JSON.stringify({ Version: '1', Statement });
const allow = (Action, Resource = '*') => ({ Effect: 'Allow', Action, Resource });

// The name and key of a new user with these statements.
async function user(...statements) {
  const UserName = queueName('u');
  await ram('CreateUser', { UserName });
  await ram('CreatePolicy', { PolicyName: UserName, PolicyDocument: policy(...statements) });
  await ram('AttachPolicyToUser', { PolicyType: 'Custom', PolicyName: UserName, UserName });
  const { AccessKey } = await ram('CreateAccessKey', { UserName });
  return { name: UserName, key: { accessKeyId: AccessKey.AccessKeyId, accessKeySecret: AccessKey.AccessKeySecret } };
}

async function denied(promise, code, part) {
  const error = await rejected(promise);
  equal(error.code ?? error.name, code, `code of ${error}`);
  if (!error.message.includes(part)) throw new Error(`${error.message} does not say ${part}`);
}

check('ram_user_may_what_its_policy_allows', async () => {
  const queue = queueName();
  await alicloud().createQueue(queue, {});
  const { name, key } = await user(allow('mns:SendMessage', `acs:mns:*:*:/queues/${queue}/messages`));
  equal((await sts('GetCallerIdentity', {}, key)).Arn.endsWith(`:user/${name}`), true, 'who');
  const theirs = alicloud(key);
  await theirs.sendMessage(queue, { MessageBody: 'hello' });
  await denied(theirs.receiveMessage(queue), 'MNSAccessDeniedError', 'mns:ReceiveMessage');
  await denied(ram('ListUsers', {}, key), 'NoPermission', 'ram:ListUsers');
});

check('ram_role_may_what_its_policy_allows', async () => {
  const queue = queueName();
  await alicloud().createQueue(queue, {});
  const RoleName = queueName('r');
  const { AccountId } = await sts('GetCallerIdentity', {});
  const trust = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { RAM: [`acs:ram::${AccountId}:root`] } });
  const { Role } = await ram('CreateRole', { RoleName, AssumeRolePolicyDocument: trust });
  await ram('AttachPolicyToRole', { PolicyType: 'System', PolicyName: 'AliyunMNSFullAccess', RoleName });
  const wanted = { RoleArn: Role.Arn, RoleSessionName: 'build' };
  await denied(sts('AssumeRole', wanted, (await user(allow('mns:*'))).key), 'NoPermission', 'sts:AssumeRole');
  const { Credentials } = await sts('AssumeRole', { ...wanted, Policy: policy(allow('mns:SendMessage')) }, (await user(allow('sts:AssumeRole', Role.Arn))).key);
  const theirs = alicloud({ accessKeyId: Credentials.AccessKeyId, accessKeySecret: Credentials.AccessKeySecret, securityToken: Credentials.SecurityToken });
  await theirs.sendMessage(queue, { MessageBody: 'hello' });
  await denied(theirs.receiveMessage(queue), 'MNSAccessDeniedError', 'mns:ReceiveMessage');
});
