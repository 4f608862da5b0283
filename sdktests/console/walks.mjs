// The walks: what somebody does with the console, from a queue's first message to its end.
import { looksRight } from './looks.mjs';

// What is said on the pages that are walked over, by language.
const words = {
  en: {
    newQueue: 'New queue', createQueue: 'Create queue', send: 'Send message', receive: 'Receive messages', deleteMessage: 'Delete message', search: 'Search',
    newTopic: 'New topic', createTopic: 'Create topic', subscribe: 'Subscribe it', publish: 'Publish message', test: 'Test', through: 'goes through', back: 'held back',
    deleteQueue: 'Delete queue…', confirmDelete: 'Delete queue', sent: 'sent', received: 'received', deleted: 'deleted', settings: 'Settings', attributes: 'Attributes, delay, copies',
    attributesToo: 'Attributes, subject, tag', filter: 'Filter and format',
  },
  zh: {
    newQueue: '新建队列', createQueue: '创建队列', send: '发送', receive: '接收', deleteMessage: '删除消息', search: '搜索',
    newTopic: '新建主题', createTopic: '创建主题', subscribe: '订阅', publish: '发布消息', test: '测试', through: '消息通过', back: '消息被拦下',
    deleteQueue: '删除队列…', confirmDelete: '删除队列', sent: '已发送', received: '已接收', deleted: '已删除', settings: '设置', attributes: '属性、延迟、份数',
    attributesToo: '属性、标题、标签', filter: '过滤与格式',
  },
};

// See that a text is on the page.
const sees = (page, text) => page.getByText(text).first().waitFor();

const button = (page, name, within = page) => within.getByRole('button', { name, exact: true });

// From creating a queue to deleting it, with a mouse or a finger.
const withPointer = (language) => async ({ page, endpoint, picture, suffix }) => {
  const w = words[language];
  const queue = `orders-${suffix}`;
  const topic = `alerts-${suffix}`;
  await page.goto(endpoint);
  await page.waitForURL(/\/console\/000000000000\/us-east-1\/$/);
  const base = page.url().replace(/\/$/, '');
  await page.locator('.uplot').first().waitFor(); // the charts have something to draw
  await page.locator('.uplot').nth(1).waitFor();
  await looksRight(page, 'overview');
  await picture('overview');

  await page.goto(`${base}/queues`);
  await button(page, w.newQueue).click();
  await page.locator('dialog[open] [name=name]').fill(queue);
  await page.locator('dialog[open] summary').click();
  await page.locator('dialog[open] [name=logging]').check();
  await looksRight(page, 'new queue');
  await picture('new-queue');
  await button(page, w.createQueue).click();
  await page.waitForURL(`**/queues/${queue}`);
  await picture('empty-queue');

  const sendForm = page.locator('#send');
  await sendForm.locator('[name=body]').fill('{"order": 17, "customer": "Ada", "note": "a needle"}');
  await sendForm.getByText(w.attributes).click();
  await sendForm.locator('[name=attribute_name]').fill('order_id');
  await sendForm.locator('[name=attribute_value]').fill('o-17');
  await sendForm.locator('[name=copies]').fill('3');
  await button(page, w.send, sendForm).click();
  await page.locator('#send .notice a').first().waitFor();
  await page.locator('#messages .message').nth(2).waitFor(); // the list follows
  await page.locator('#messages .message summary').first().click();
  await page.locator('#messages pre.body').first().getByText('"customer": "Ada"').waitFor();
  await looksRight(page, 'messages');
  await picture('messages');
  await page.locator('#peek [name=text]').fill('needle');
  await button(page, w.search, page.locator('#peek')).click();
  await page.getByText(/(Searched 3 of 3|已搜索 3 \/ 3)/).waitFor();
  await picture('searched');

  await button(page, w.receive, page.locator('#receive')).click();
  const received = page.locator('#received .message');
  await received.first().waitFor();
  await received.locator('summary').first().click();
  const id = await received.locator('dd a').first().textContent();
  await looksRight(page, 'received');
  await picture('received');
  await button(page, w.deleteMessage, received.first()).click();
  await page.locator('#received .settled').waitFor();

  await page.locator('.find [name=q]').fill(id); // an id leads to the message's life
  await page.locator('.find [name=q]').press('Enter');
  await page.waitForURL(/\/trace\?id=/);
  for (const kind of [w.sent, w.received, w.deleted]) await page.locator('.timeline b', { hasText: kind }).first().waitFor();
  await looksRight(page, 'trace');
  await picture('trace');

  await page.goto(`${base}/topics`);
  await button(page, w.newTopic).click();
  await page.locator('dialog[open] [name=name]').fill(topic);
  await button(page, w.createTopic).click();
  await page.waitForURL(`**/topics/${topic}`);
  const subscribe = page.locator('#subscribe');
  await subscribe.locator('[name=endpoint]').fill(queue);
  await subscribe.getByText(w.filter).click();
  await subscribe.locator('[name=filter]').fill('{"kind": ["order"]}');
  await button(page, w.subscribe, subscribe).click();
  await page.locator('#rows tbody tr').first().waitFor();
  const publish = page.locator('#publish');
  await publish.locator('[name=body]').fill('an order');
  await publish.getByText(w.attributesToo).click();
  await publish.locator('[name=attribute_name]').fill('kind');
  await publish.locator('[name=attribute_value]').fill('order');
  await looksRight(page, 'topic');
  await button(page, w.publish, publish).click();
  await publish.locator('.notice code').waitFor();
  await picture('topic');

  await page.goto(`${base}/topics/${topic}/tester`);
  const tester = page.locator('#tester');
  await tester.locator('[name=filter]').fill('{"kind": ["order"], "amount": [{"numeric": [">=", 100]}]}');
  await tester.locator('[name=body]').fill('{"kind": "order", "amount": 20}');
  await tester.locator('[name=scope]').selectOption('MessageBody');
  await button(page, w.test, tester).click();
  await sees(page.locator('#verdicts'), w.back);
  await page.locator('#verdicts tr.met').waitFor();
  await page.locator('#verdicts tr.unmet').waitFor();
  await looksRight(page, 'tester');
  await picture('tester');
  await tester.locator('[name=body]').fill('{"kind": "order", "amount": 120}');
  await button(page, w.test, tester).click();
  await sees(page.locator('#verdicts'), w.through);

  const user = `ada-${suffix}`;
  await page.goto(`${base}/users`);
  await page.locator('[data-new]').click();
  await page.locator('dialog[open] [name=name]').fill(user);
  await page.locator('dialog[open] [name=access]').selectOption('operator');
  await looksRight(page, 'new user');
  await picture('new-user');
  await page.locator('dialog[open] [name=key]').uncheck(); // this server has no master key to keep its secret under
  await page.locator('dialog[open] button.primary').click();
  await page.waitForURL(`**/users/${user}`);
  await page.locator('#attached [name=policy]').fill('AmazonSQSReadOnlyAccess');
  await page.locator('#attached button').last().click();
  await page.locator('#attached a', { hasText: 'AmazonSQSReadOnlyAccess' }).waitFor();
  await page.locator('#inline summary').last().click();
  await page.locator('#inline [name=name]').last().fill('mine');
  await page.locator('#inline textarea').last().fill('{"Version": "2012-10-17"}');
  await page.locator('#inline button').last().click();
  await page.locator('#inline .alert').waitFor(); // it is no policy
  await looksRight(page, 'user');
  await picture('user');
  await page.locator('#attached a[href*="explain"]').click();
  await page.locator('[name=action]').fill('sqs:GetQueueUrl');
  await page.locator('[name=resource]').fill(`arn:aws:sqs:us-east-1:000000000000:${queue}`);
  await page.locator('main form button.primary').click();
  await page.locator('#decision .good').waitFor();
  await looksRight(page, 'explained');
  await picture('explained');

  const rule = `slow-${suffix}`;
  await page.goto(`${base}/faults`);
  await page.locator('[data-new]').click();
  await page.locator('dialog[open] [name=name]').fill(rule);
  await page.locator('dialog[open] [name=effect]').selectOption('latency');
  await page.locator('dialog[open] [name=pattern]').fill('nothing-*');
  await looksRight(page, 'new fault rule');
  await picture('new-fault-rule');
  await page.locator('dialog[open] button.primary').click();
  await page.locator('#rows', { hasText: rule }).waitFor();

  for (const path of ['users', 'groups', 'roles', 'policies', 'policies?built_in=1', 'policies/AmazonSQSFullAccess?cloud=aws&built_in=1', 'faults', 'queues', 'topics', 'outbox', 'keys', 'audit', 'costs', 'servers', 'clock', 'trace', `queues/${queue}/moves`, `topics/${topic}/settings`, 'nothing']) {
    await page.goto(`${base}/${path}`);
    await looksRight(page, path);
    await picture(path.replaceAll(/[/?]/g, '-'));
  }

  await page.goto(`${base}/queues/${queue}/settings`);
  await looksRight(page, 'settings');
  await button(page, w.deleteQueue).click();
  const dialog = page.locator('dialog[open]');
  const doIt = button(page, w.confirmDelete, dialog);
  if (!(await doIt.isDisabled())) throw new Error('the queue can be deleted before its name is typed');
  await dialog.locator('[name=confirm]').fill(queue);
  await picture('delete');
  await doIt.click();
  await page.waitForURL('**/queues');
  await sees(page.locator('.notice'), queue);
};

// The same queue's life with the keyboard alone.
const withKeyboard = async ({ page, endpoint, picture, suffix }) => {
  const queue = `orders-${suffix}`;
  const keys = page.keyboard;
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('name') ?? document.activeElement.textContent.trim());
  const tabTo = async (wanted) => {
    for (let i = 0; i < 60; i++) {
      if ((await focused()) === wanted) return;
      await keys.press('Tab');
    }
    throw new Error(`tab does not lead to ${wanted}; it ends at ${await focused()}`);
  };
  const goToQueues = async () => {
    await Promise.all([keys.press('g'), keys.press('q')]); // the second counts if it soon follows the first, however busy the machine
    await page.waitForURL('**/queues');
  };
  await page.goto(`${endpoint}/console/`);
  await keys.press('Tab');
  if (!/Skip to the content/.test(await focused())) throw new Error('the first tab does not lead past the menu');
  await keys.press('?');
  await page.locator('dialog#help[open]').waitFor();
  await picture('shortcuts');
  await keys.press('Escape');
  const away = page.locator('#away');
  await page.evaluate(() => htmx.trigger(document.body, 'htmx:sendError')); // as when the server is away
  await away.waitFor();
  await page.evaluate(() => htmx.trigger(document.body, 'htmx:afterOnLoad'));
  await away.waitFor({ state: 'hidden' });
  await goToQueues();
  await keys.press('n');
  await page.locator('dialog#new[open]').waitFor();
  await keys.press('Escape');
  if ((await focused()) !== 'New queue') throw new Error(`the dialog gives the focus back to ${await focused()}`);
  await keys.press('n');
  await page.locator('dialog#new[open]').waitFor();
  if ((await focused()) !== 'name') throw new Error(`the dialog begins at ${await focused()}`);
  await keys.type(queue);
  await keys.press('Enter');
  await page.waitForURL(`**/queues/${queue}`);
  await tabTo('body');
  await keys.type('typed');
  await tabTo('Send message');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  if (ring !== 'solid') throw new Error(`what has the focus does not show it: ${ring}`);
  await picture('focus');
  await keys.press('Enter');
  await page.locator('#messages .message').waitFor();
  await keys.press('Escape');
  await page.locator('#main').focus();
  await keys.press('/');
  if ((await focused()) !== 'text') throw new Error(`/ leads to ${await focused()}`);
  await keys.type('typed');
  await keys.press('Enter');
  await page.getByText('Searched 1 of 1').waitFor();
  await page.locator('#main').focus();
  await goToQueues();
  await page.goto(`${page.url()}/${queue}/settings`);
  await tabTo('Delete queue…');
  await keys.press('Enter');
  await page.locator('dialog#delete[open]').waitFor();
  await tabTo('confirm');
  await keys.type(queue);
  await keys.press('Enter');
  await page.waitForURL('**/queues');
  await page.locator('.notice').waitFor();
};

// Colours and language are kept, and copying copies.
const preferences = async ({ page, endpoint, picture }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: endpoint });
  await page.goto(`${endpoint}/console/`);
  await page.getByRole('button', { name: 'Change colours' }).click();
  await page.locator('html[data-theme=dark]').waitFor();
  await looksRight(page, 'dark');
  await picture('dark');
  await page.getByRole('button', { name: '中文' }).click();
  await page.locator('html[lang=zh-Hans]').waitFor();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('tab', { name: 'curl' }).click();
  await page.locator('.snippet:not([hidden]) .copy').click();
  const copied = `curl -X POST "${endpoint}/api/v1/queues`;
  await page.waitForFunction(async (start) => (await navigator.clipboard.readText()).startsWith(start), copied); // browsers copy in their own time
};

const desktop = { viewport: { width: 1366, height: 850 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

export const walks = [
  { name: 'desktop_light_english', options: { ...desktop, colorScheme: 'light', locale: 'en-US' }, walk: withPointer('en') },
  { name: 'phone_dark_chinese', options: { ...phone, colorScheme: 'dark', locale: 'zh-CN' }, walk: withPointer('zh') },
  { name: 'keyboard_only', options: { ...desktop, colorScheme: 'dark', locale: 'en-GB' }, walk: withKeyboard },
  { name: 'preferences', options: { viewport: { width: 1920, height: 1080 }, colorScheme: 'light', locale: 'en-US' }, walk: preferences },
];
