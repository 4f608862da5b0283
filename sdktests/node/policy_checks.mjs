// Policies, on a server that enforces them: users and roles made by IAM, sessions by STS, a presigned URL, another
// account. POLYMQ_ACCESS_KEY is an account's own, POLYMQ_OTHER_ACCESS_KEY another's.
import { IAM } from '@aws-sdk/client-iam';
import { STS } from '@aws-sdk/client-sts';
import { check, equal, rejected } from './checking.mjs';
import { endpoint, queueName, sqs, sqsQueue } from './clients.mjs';
import { get, presigned } from './presigning.mjs';

const own = { accessKeyId: process.env.POLYMQ_ACCESS_KEY, secretAccessKey: process.env.POLYMQ_SECRET_KEY };
const others = { accessKeyId: process.env.POLYMQ_OTHER_ACCESS_KEY, secretAccessKey: process.env.POLYMQ_OTHER_SECRET_KEY };
const setUp = (credentials) => ({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials });
const iam = new IAM(setUp(own));
const sts = (credentials = own) => new STS(setUp(credentials));

const policy = (...Statement) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action, Resource = '*') => ({ Effect: 'Allow', Action, Resource });

// The name and key of a new user with these statements.
async function user(...statements) {
  const UserName = queueName('u');
  await iam.createUser({ UserName });
  if (statements.length > 0) {
    const { Policy } = await iam.createPolicy({ PolicyName: UserName, PolicyDocument: policy(...statements) });
    await iam.attachUserPolicy({ UserName, PolicyArn: Policy.Arn });
  }
  const { AccessKey } = await iam.createAccessKey({ UserName });
  return { name: UserName, key: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey } };
}

const sessionOf = ({ AccessKeyId, SecretAccessKey, SessionToken }) => ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken });

async function denied(promise, name, ...parts) {
  const error = await rejected(promise);
  equal([error.name, error.$metadata?.httpStatusCode], [name, 403], `error ${error}`);
  for (const part of parts) {
    if (!error.message.includes(part)) throw new Error(`${error.message} does not say ${part}`);
  }
}

check('a user may what its policy allows', async () => {
  const QueueUrl = await sqsQueue(sqs());
  const { name, key } = await user(allow('sqs:SendMessage', 'arn:aws:sqs:*:*:orders-*'));
  const theirs = sqs({ credentials: key });
  await theirs.sendMessage({ QueueUrl, MessageBody: 'hello' });
  await denied(theirs.receiveMessage({ QueueUrl }), 'AccessDenied', `:user/${name} is not authorized to perform: sqs:receivemessage`, 'because no identity-based policy allows');
  await denied(new IAM(setUp(key)).listUsers({}), 'AccessDenied', 'iam:ListUsers');
});

check('an assumed role is bound by its session', async () => {
  const QueueUrl = await sqsQueue(sqs());
  const RoleName = queueName('r');
  const { Account } = await sts().getCallerIdentity({});
  const trust = policy({ Effect: 'Allow', Principal: { AWS: Account }, Action: 'sts:AssumeRole' });
  const { Role } = await iam.createRole({ RoleName, AssumeRolePolicyDocument: trust });
  await iam.putRolePolicy({ RoleName, PolicyName: 'p', PolicyDocument: policy(allow('sqs:*')) });
  const wanted = { RoleArn: Role.Arn, RoleSessionName: 'build' };
  await denied(sts((await user()).key).assumeRole(wanted), 'AccessDenied', 'sts:AssumeRole');
  const { Credentials } = await sts((await user(allow('sts:AssumeRole', Role.Arn))).key).assumeRole({ ...wanted, Policy: policy(allow('sqs:SendMessage')) });
  const session = sessionOf(Credentials);
  equal((await sts(session).getCallerIdentity({})).Arn, `arn:aws:sts::${Account}:assumed-role/${RoleName}/build`, 'who');
  const theirs = sqs({ credentials: session });
  await theirs.sendMessage({ QueueUrl, MessageBody: 'hello' });
  await denied(theirs.receiveMessage({ QueueUrl }), 'AccessDenied', 'because no session policy allows');
  const another = sessionOf((await sts().getSessionToken({})).Credentials);
  const foreign = sqs({ credentials: { ...session, sessionToken: another.sessionToken } });
  await denied(foreign.sendMessage({ QueueUrl, MessageBody: 'hello' }), 'InvalidClientTokenId');
});

check('add permission lets another account in', async () => {
  const QueueUrl = await sqsQueue(sqs());
  const theirs = sqs({ credentials: others });
  await denied(theirs.sendMessage({ QueueUrl, MessageBody: 'hello' }), 'AccessDenied');
  await sqs().addPermission({ QueueUrl, Label: 'them', AWSAccountIds: [process.env.POLYMQ_OTHER_ACCOUNT], Actions: ['SendMessage'] });
  await theirs.sendMessage({ QueueUrl, MessageBody: 'hello' });
  await denied(theirs.purgeQueue({ QueueUrl }), 'AccessDenied');
  await sqs().removePermission({ QueueUrl, Label: 'them' });
  await denied(theirs.sendMessage({ QueueUrl, MessageBody: 'hello' }), 'AccessDenied');
});

check('a presigned URL may what its signer may', async () => {
  const url = await sqsQueue(sqs());
  const { key } = await user(allow('sqs:SendMessage'));
  equal(await get(await presigned(url, key, { Action: 'SendMessage', MessageBody: 'hello' })), [200, undefined], 'what it may');
  equal(await get(await presigned(url, key, { Action: 'PurgeQueue' })), [403, 'AccessDenied'], 'what it may not');
});
