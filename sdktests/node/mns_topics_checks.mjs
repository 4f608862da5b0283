// What MNS promises of topics, seen through its SDKs for Node. The official one has no subscriptions and publishes
// nothing; the community's has it all.
import { createVerify, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import AliMNS from 'ali-mns';
import { alicloud, aliQueue, aliTopic, aliTopics, endpoint, mnsQueue, queueName } from './clients.mjs';
import { check, equal, rejected, texts } from './checking.mjs';

const client = alicloud();

async function newTopic(options = {}) {
  const name = queueName('news');
  await aliTopics().createTopicP(name, options);
  return aliTopic(name);
}

const queueEndpoint = (name) => `acs:mns:us-east-1:127:queues/${name}`;

check('mns_topic_attributes', async () => {
  const name = queueName('news');
  const created = await client.createTopic(name, { MaximumMessageSize: 2048 });
  equal([created.code, created.headers.location], [201, `${endpoint}/topics/${name}`], 'created');
  equal((await client.createTopic(name, { MaximumMessageSize: 2048 })).code, 204, 'created again');
  equal((await rejected(client.createTopic(name))).name, 'MNSTopicAlreadyExistError', 'created with other attributes');
  const { body } = await client.getTopicAttributes(name);
  equal([body.TopicName, body.MaximumMessageSize, body.MessageRetentionPeriod, body.LoggingEnabled], [name, '2048', '86400', 'False'], 'attributes');
  const { body: listed } = await client.listTopic('', 10, name);
  equal(listed.map((topic) => topic.TopicURL), [`${endpoint}/topics/${name}`], 'list');
  await aliTopics().deleteTopicP(name);
  equal((await rejected(client.getTopicAttributes(name))).name, 'MNSTopicNotExistError', 'error');
});

check('ali_mns_subscription_attributes', async () => {
  const topic = await newTopic({ MaximumMessageSize: 4096 });
  equal((await topic.getAttrsP()).Topic.MaximumMessageSize, '4096', 'size');
  await topic.subscribeP('all', 'http://example.com/a', AliMNS.Subscription.NotifyStrategy.BACKOFF_RETRY, AliMNS.Subscription.NotifyContentFormat.SIMPLIFIED, 'red');
  const subscription = new AliMNS.Subscription('all', topic);
  await subscription.setAttrsP({ NotifyStrategy: AliMNS.Subscription.NotifyStrategy.EXPONENTIAL_DECAY_RETRY });
  const { Subscription: shown } = await subscription.getAttrsP();
  equal([shown.Endpoint, shown.FilterTag, shown.NotifyStrategy, shown.NotifyContentFormat],
    ['http://example.com/a', 'red', 'EXPONENTIAL_DECAY_RETRY', 'SIMPLIFIED'], 'attributes');
  equal((await topic.listP('a')).Subscriptions.Subscription.SubscriptionURL.endsWith('/subscriptions/all'), true, 'list');
  await topic.unsubscribeP('all');
  equal((await rejected(subscription.getAttrsP())).Error.Code, 'SubscriptionNotExist', 'error');
});

check('ali_mns_published_texts_come_back_as_sent', async () => {
  const topic = await newTopic();
  const name = await mnsQueue(client);
  await topic.subscribeP('all', queueEndpoint(name), 'BACKOFF_RETRY', 'SIMPLIFIED', 'red');
  await topic.publishP('of no tag', true);
  const queue = aliQueue(name);
  for (const [what, text] of Object.entries(texts)) {
    await topic.publishP(text, true, 'red');
    const { Message } = await queue.recvP(5, 1);
    equal(Message.MessageBody, text, what);
    await queue.deleteP([Message.ReceiptHandle]);
  }
});

check('ali_mns_publish_as_xml', async () => {
  const topic = await newTopic();
  const name = await mnsQueue(client);
  await topic.subscribeP('all', queueEndpoint(name), 'BACKOFF_RETRY', 'XML');
  const { Message: { MessageId } } = await topic.publishP('hello', false);
  const { body } = await client.receiveMessage(name);
  equal(body.MessageBody.includes(`<MessageId>${MessageId}</MessageId>`) && body.MessageBody.includes('<Message>hello</Message>'), true, body.MessageBody);
});

// Whether the signature of a push is good, as the manual says: neither SDK has code for it.
async function signed({ method, url, headers }) {
  const own = Object.keys(headers).filter((name) => name.startsWith('x-mns-')).sort().map((name) => `${name}:${headers[name]}`);
  const text = [method, headers['content-md5'], headers['content-type'], headers.date, ...own, url].join('\n');
  const { pathname } = new URL(Buffer.from(headers['x-mns-signing-cert-url'], 'base64').toString()); // at the host of the SDK, which its proxy alone finds
  const served = await fetch(endpoint + pathname);
  const { publicKey } = new X509Certificate(await served.text());
  return createVerify('RSA-SHA1').update(text).verify(publicKey, headers.authorization, 'base64');
}

check('ali_mns_pushes_are_signed', async () => {
  const server = createServer((request, response) => {
    response.writeHead(204).end();
    server.emit('push', request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const topic = await newTopic();
    const url = `http://127.0.0.1:${server.address().port}/notify?a=b`;
    await topic.subscribeP('all', url, 'BACKOFF_RETRY', 'SIMPLIFIED');
    const pushed = once(server, 'push', { signal: AbortSignal.timeout(30_000) });
    await topic.publishP('hello', true, 'red');
    const [{ method, url: target, headers }] = await pushed;
    equal([target, headers['x-mns-message-tag'], headers['x-mns-subscription-name']], ['/notify?a=b', 'red', 'all'], 'push');
    equal(await signed({ method, url: target, headers }), true, 'signature');
    equal(await signed({ method, url: target, headers: { ...headers, 'x-mns-message-tag': 'blue' } }), false, 'signature of a push that was changed');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
