// The walks where signatures are verified: who logs in, what that opens, and how it ends. The server speaks TLS with a certificate of
// its own, and takes the header X-User for somebody whom a proxy in front of it has signed on.
//
// POLYMQ_PEOPLE has the access keys: {"admin": {"id": …, "secret": …}, "operator": …, "viewer": …}. The queue `orders` holds a message
// with the word "needle", and what happened to it is logged. The topic `events` has the subscription `to-orders`, `orders` the alert `late`.
import { looksRight } from './looks.mjs';

const people = JSON.parse(process.env.POLYMQ_PEOPLE ?? '{}');
const session = 'polymq_session';

const same = (what, got, want) => {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
};

const logIn = async (page, { id, secret }) => {
  await page.locator('main [name=id]').fill(id);
  await page.locator('main [name=secret]').fill(secret);
  await page.locator('main form button.primary').click();
};

const logOut = async (page) => {
  await page.locator('form[action="/console/logout"] button').click();
  await page.waitForURL(/\/console\/login/);
};

// Each page that somebody may look at, from its menu.
const looksAround = async ({ page, picture }, who, without) => {
  const paths = await page.locator('nav.menu a[data-go]').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  for (const missing of without) if (paths.some((path) => path.endsWith(`/${missing}`))) throw new Error(`the menu of ${who} leads to ${missing}`);
  for (const path of paths) {
    const answer = await page.goto(new URL(path, page.url()).href);
    same(`${who} at ${path}`, answer.status(), 200);
    await looksRight(page, `${who} at ${path}`);
    await picture(`${who}-${path.split('/').pop() || 'overview'}`);
  }
};

// Each page about one thing.
const looksInside = async ({ page, endpoint, picture }, who, refused) => {
  const paths = [
    'queues/orders/settings', 'queues/orders/moves', 'topics/events', 'topics/events/settings', 'topics/events/tester', 'topics/events/subscriptions/to-orders', 'alerts/late',
    'users/olga', 'groups', 'roles', 'policies?built_in=1', 'policies/AmazonSQSFullAccess?cloud=aws&built_in=1', 'explain',
  ];
  for (const path of paths) {
    const answer = await page.goto(`${endpoint}/console/000000000000/us-east-1/${path}`);
    same(`${who} at ${path}`, answer.status(), refused.some((start) => path.startsWith(start)) ? 403 : 200);
    await looksRight(page, `${who} at ${path}`);
    await picture(`${who}-${path.replaceAll(/[/?]/g, '-')}`);
  }
};

const manages = ['users', 'groups', 'roles', 'policies', 'explain'];

// Wrong keys, each kind of user, and the preferences that outlive them; with the pages about one thing, or without.
const everybody = (inside) => async (visit) => {
  const { page, endpoint, picture } = visit;
  const queue = `${endpoint}/console/000000000000/us-east-1/queues/orders`;
  await page.goto(queue);
  await page.waitForURL(/\/console\/login\?next=/);
  await looksRight(page, 'login');
  await picture('login');
  for (const wrong of [{ ...people.viewer, secret: 'x' }, { ...people.viewer, id: 'nobody' }]) {
    await logIn(page, wrong);
    await page.locator('main .alert:not([hidden])').waitFor();
  }
  await looksRight(page, 'wrong login');
  await picture('wrong-login');

  await logIn(page, people.viewer);
  await page.waitForURL(queue); // where she wanted to go
  same('forms of a viewer', [await page.locator('#send').count(), await page.locator('#receive').count(), await page.locator('[data-new]').count()], [0, 0, 0]);
  if ((await page.content()).includes('needle')) throw new Error('a viewer sees the body of a message');
  await looksRight(page, 'viewer at a queue');
  await picture('viewer-queue');
  await page.goto(`${queue.replace('queues/orders', 'trace')}?queue=orders`);
  await page.locator('.timeline li').first().waitFor();
  if ((await page.content()).includes('needle')) throw new Error('a viewer sees what a message was sent with');
  await looksRight(page, 'viewer at a trace');
  await picture('viewer-trace');
  await looksAround(visit, 'viewer', ['keys', 'users', 'policies', 'audit', 'clock', 'outbox']);
  if (inside) await looksInside(visit, 'viewer', manages);
  for (const path of ['keys', 'users', 'audit', 'outbox', 'queues/orders/search?text=needle']) {
    same(`a viewer at ${path}`, (await page.goto(queue.replace('queues/orders', path))).status(), 403);
    await looksRight(page, `viewer refused ${path}`);
  }
  await picture('viewer-refused');
  await page.locator('button[name=theme]').click(); // dark, or from dark to light
  const theme = await page.locator('html').getAttribute('data-theme');
  await page.locator('button[name=language]').click();
  const language = await page.locator('html').getAttribute('lang');
  await logOut(page);
  same('what is kept', [await page.locator('html').getAttribute('data-theme'), await page.locator('html').getAttribute('lang')], [theme, language]);
  await page.goto(queue);
  await page.waitForURL(/\/console\/login/);
  await page.locator('button[name=language]').click(); // back again

  await logIn(page, people.operator);
  await page.waitForURL(/\/console\/000000000000/);
  await page.goto(queue);
  await page.locator('#send [name=body]').fill('sent by the operator');
  await page.locator('#send button.primary').click();
  await page.locator('#send .notice a').first().waitFor();
  await page.locator('#messages .message').first().locator('summary').click();
  await looksRight(page, 'operator at a queue');
  await picture('operator-queue');
  await looksAround(visit, 'operator', ['keys', 'users', 'policies', 'audit', 'clock']);
  if (inside) await looksInside(visit, 'operator', manages);
  same('an operator at users', (await page.goto(queue.replace('queues/orders', 'users'))).status(), 403);
  await logOut(page);

  await logIn(page, people.admin);
  await page.waitForURL(/\/console\/000000000000/);
  await looksAround(visit, 'admin', []);
  if (inside) await looksInside(visit, 'admin', []);
  await page.goto(`${queue.replace('queues/orders', 'trace')}?queue=orders`);
  await looksRight(page, 'admin at a trace');
  await picture('admin-trace');
  await logOut(page);
};

// How a session's cookie is kept, and what happens once it is gone, or its key.
const ends = async ({ page, endpoint, picture }) => {
  const base = `${endpoint}/console/000000000000/us-east-1`;
  await page.goto(`${base}/queues/orders`);
  await logIn(page, people.operator);
  await page.waitForURL(`${base}/queues/orders`);
  const cookies = await page.context().cookies();
  const cookie = cookies.find(({ name }) => name === session);
  same('the session', [cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, 'Strict', '/console']);
  const hours = (cookie.expires - Date.now() / 1000) / 3600;
  if (hours < 11 || hours > 12.1) throw new Error(`a session lasts ${hours} hours`);

  await page.locator('#send [name=body]').fill('too late');
  await page.context().clearCookies({ name: session }); // as the browser does once its time is over
  await page.locator('#send button.primary').click();
  await page.waitForURL(/\/console\/login/); // a part of a page leads there too
  await picture('expired');
  await logIn(page, people.operator);
  await page.waitForURL(`${base}/`);

  await page.context().addCookies([{ ...cookie, value: `${cookie.value.slice(0, -4)}AAAA` }]);
  await page.goto(`${base}/queues`);
  await page.waitForURL(/\/console\/login\?next=/); // what was tampered with is no session
};

// Somebody whom a proxy has signed on needs no login, and is told so where that is of no use.
const signedOn = async ({ page, endpoint, picture }) => {
  await page.context().setExtraHTTPHeaders({ 'X-User': 'olga' });
  await page.goto(`${endpoint}/console/`);
  await page.locator('.who', { hasText: 'olga' }).waitFor();
  await page.goto(`${endpoint}/console/000000000000/us-east-1/queues/orders`);
  await page.locator('#send').waitFor();
  await looksRight(page, 'signed on');
  await picture('signed-on');
  await page.context().setExtraHTTPHeaders({ 'X-User': 'nobody' });
  await page.context().clearCookies();
  await page.goto(`${endpoint}/console/`);
  await page.waitForURL(/\/console\/login/);
  await page.locator('main .hint', { hasText: 'nobody' }).waitFor();
  await looksRight(page, 'signed on as nobody');
  await picture('signed-on-as-nobody');
};

const desktop = { viewport: { width: 1366, height: 850 }, ignoreHTTPSErrors: true };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, ignoreHTTPSErrors: true };

// Where policies are not asked: the same people on the same pages.
export const verified = [
  { name: 'everybody_desktop_dark_english', options: { ...desktop, colorScheme: 'dark', locale: 'en-US' }, walk: everybody(true) },
];

export const enforced = [
  { name: 'everybody_desktop_light_english', options: { ...desktop, colorScheme: 'light', locale: 'en-US' }, walk: everybody(false) },
  { name: 'everybody_phone_dark_chinese', options: { ...phone, colorScheme: 'dark', locale: 'zh-CN' }, walk: everybody(false) },
  { name: 'session_ends', options: { ...desktop, colorScheme: 'dark', locale: 'en-US' }, walk: ends },
  { name: 'signed_on_by_a_proxy', options: { ...phone, colorScheme: 'light', locale: 'en-US' }, walk: signedOn },
];
