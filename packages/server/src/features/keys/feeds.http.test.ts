import type { Account, Caller } from '@keyreeve/server';
import { type Company, call, countTurns, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { parseFeed } from '@rowanmanning/feed-parser';
import ICAL from 'ical.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction } from '../../storage/index.ts';
import { toAtom } from './atom.ts';
import { toCalendar } from './calendar.ts';
import type { FeedScope } from './feeds.repo.ts';

const FORMATS = ['ics', 'atom'] as const;
type Format = (typeof FORMATS)[number];

/** All of them are comments that a key may have: at most 256 characters, without line breaks and controls. */
const HOSTILE = [
  'commas, semicolons; backslashes \\, \\n and "quotes" and \'these\'',
  '<b onclick="x">&amp; <![CDATA[ ]]>]]> ]]> --> <?x?>',
  'BEGIN:VEVENT END:VEVENT ATTACH;VALUE=URI:https://evil.test',
  '🦀'.repeat(128),
  '👩‍💻'.repeat(51),
  '鍵'.repeat(256),
  'نرم‌افزار Ünïcödé é\tx',
  '\ufffe\uffff',
];

interface ReadEntry {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly url: string;
}

let harness: Harness;
let company: Company;
beforeEach(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
});
afterEach(() => harness.close());

async function mint(account: Account, comment: string, lifetimeDays = 90) {
  const caller = company.adminCaller;
  const { key } = await harness.deps.keys.create(caller, account.id, {
    comment,
    access: 'account',
    lifetimeDays,
  });
  return key;
}

async function makeLink(caller: Caller, scope: FeedScope = 'own') {
  const { link, token } = await harness.deps.feeds.create(caller, scope);
  return { id: link.id, token: token.reveal() };
}

function ask(token: string, format: Format, headers: Readonly<Record<string, string>> = {}) {
  return call(harness, 'GET', `/feeds/${token}/expiries.${format}`, { headers });
}

function readCalendar(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
  return calendar.getAllSubcomponents('vevent').map((component) => ({
    event: new ICAL.Event(component),
    alarms: component.getAllSubcomponents('valarm'),
    url: String(component.getFirstPropertyValue('url')),
  }));
}

/** What a reader makes of a feed, in either format. */
async function readEntries(token: string, format: Format): Promise<ReadEntry[]> {
  const answer = await ask(token, format);
  expect(answer.statusCode, answer.body).toBe(200);
  if (format === 'ics')
    return readCalendar(answer.body).map(({ event, url }) => ({
      id: event.uid,
      title: event.summary,
      text: event.description,
      url,
    }));
  return parseFeed(answer.body).items.map(({ id, title, content, url }) => ({
    id: id ?? '',
    title: title ?? '',
    text: content ?? '',
    url: url ?? '',
  }));
}

const titlesOf = async (token: string, format: Format) =>
  (await readEntries(token, format)).map((entry) => entry.title);

/** The later a key is imported, the sooner it expires. */
async function importMany(count: number, commentOf: (index: number) => string): Promise<void> {
  const startsAt = harness.clock.now() + DAY_MS;
  const rows = Array.from({ length: count }, (_none, index) => ({
    account: company.member.id,
    comment: commentOf(index),
    access: 'scoped' as const,
    scopes: [{ actions: ['package:push'], resources: ['*'] }],
    expiresAt: startsAt + (count - index) * MINUTE_MS,
    sha256: index.toString(16).padStart(64, '0'),
  }));
  for (let start = 0; start < count; start += 1_000)
    await harness.deps.keyImporter.importKeys(company.adminCaller, rows.slice(start, start + 1_000), false);
}

const allow = (days: readonly number[]) =>
  harness.deps.settings.update(
    company.adminCaller,
    { lifetimeChoicesDays: [...days], defaultLifetimeDays: days[0] ?? 1, maxLifetimeDays: 3650 },
    null,
  );

describe.each(FORMATS)('the %s feed', (format) => {
  it('holds the working keys of its holder and of his service accounts, the soonest first', async () => {
    await allow([1, 90, 365, 400, 401]);
    await mint(company.member, 'for a year', 365);
    await mint(company.robot, 'of the robot', 90);
    await mint(company.member, 'for 400 days', 400);
    await mint(company.member, 'for 401 days', 401);
    await mint(company.member, 'expired', 1);
    const off = await mint(company.member, 'disabled', 90);
    await harness.deps.keys.disable(company.memberCaller, off.id, null);
    harness.clock.advance(DAY_MS);
    const soon = await mint(company.member, 'for a day', 1);
    const { token } = await makeLink(company.memberCaller);
    const entries = await readEntries(token, format);
    const commentsOf = (all: readonly ReadEntry[]) => all.map(({ title }) => /“(.*)”/.exec(title)?.[1]);
    expect(commentsOf(entries)).toEqual(['for a day', 'of the robot', 'for a year', 'for 400 days']);
    const [first, second] = entries;
    expect(first?.title).toBe('API key “for a day” expires');
    expect(first?.text).toBe(
      `Account: 芽衣\nAPI key: ${soon.id}\nWorks until: 2027-03-03T09:00:00.000Z\nRenew it in the console: http://localhost:8080/my-keys`,
    );
    expect(first?.url).toBe('http://localhost:8080/my-keys');
    expect(second?.url).toBe(`http://localhost:8080/service-accounts/${company.robot.id}`);
    harness.clock.advance(2 * DAY_MS);
    expect(commentsOf(await readEntries(token, format))).toEqual([
      'of the robot',
      'for a year',
      'for 400 days',
      'for 401 days',
    ]);
  });

  it('tells hostile comments as they are, and nothing of the rest of the feed is lost', async () => {
    for (const comment of HOSTILE) await mint(company.member, comment);
    await mint(company.member, 'harmless', 365);
    const { token } = await makeLink(company.memberCaller);
    // XML has no way to write the last two characters of the plane; a calendar has.
    const told = (comment: string) =>
      format === 'atom' ? comment.replace(/[\ufffe\uffff]/g, '\ufffd') : comment;
    expect((await titlesOf(token, format)).toSorted()).toEqual(
      [...HOSTILE, 'harmless'].map((comment) => `API key “${told(comment)}” expires`).toSorted(),
    );
  });

  it('never shows keys of others, also not to an administrator who asked for his own', async () => {
    await mint(company.member, 'of the member');
    await mint(company.stranger, 'of the stranger');
    await mint(company.robot, 'of the robot');
    await mint(company.admin, 'of the administrator');
    const titles = async (caller: Caller, scope: FeedScope) =>
      (await titlesOf((await makeLink(caller, scope)).token, format)).join('\n');
    expect(await titles(company.strangerCaller, 'own')).toBe('API key “of the stranger” expires');
    const own = await titles(company.adminCaller, 'own');
    expect(own).toContain('of the administrator');
    expect(own).not.toMatch(/of the (?:member|stranger|robot)/);
    const all = await titles(company.adminCaller, 'workspace');
    for (const whose of ['member', 'stranger', 'robot', 'administrator'])
      expect(all).toContain(`of the ${whose}`);
  });

  it('loses the keys of a service account with its management', async () => {
    await mint(company.robot, 'of the robot');
    const { token } = await makeLink(company.memberCaller);
    expect(await titlesOf(token, format)).toHaveLength(1);
    const change = { managers: [company.stranger.id] };
    await harness.deps.accounts.update(company.adminCaller, 'service', company.robot.id, change, null);
    expect(await titlesOf(token, format)).toEqual([]);
  });

  it('holds no key of a service account that is disabled: none of them works', async () => {
    await mint(company.robot, 'of the robot');
    await mint(company.member, 'of the member');
    const own = await makeLink(company.memberCaller);
    const workspace = await makeLink(company.adminCaller, 'workspace');
    const setState = (state: 'active' | 'disabled') =>
      harness.deps.accounts.update(company.adminCaller, 'service', company.robot.id, { state }, null);
    await setState('disabled');
    for (const { token } of [own, workspace]) {
      const titles = (await titlesOf(token, format)).join();
      expect(titles).toContain('of the member');
      expect(titles).not.toContain('of the robot');
    }
    await setState('active');
    expect((await titlesOf(own.token, format)).join()).toContain('of the robot');
  });

  it('speaks the language of its holder', async () => {
    const user = await harness.createAccount({
      kind: 'user',
      email: 'yui@example.com',
      displayName: '結衣',
      role: 'member',
      locale: 'ja',
    });
    await mint(user, '検証用');
    const { token } = await makeLink(await harness.callerOf(user));
    const [entry] = await readEntries(token, format);
    expect(entry?.title).toBe('APIキー「検証用」の有効期限');
    expect(entry?.text).toContain('コンソールで再生成する: http://localhost:8080/my-keys');
  });

  it('keeps the id of an expiry, and has a new one for the next', async () => {
    const key = await mint(company.member, 'CI');
    const { token } = await makeLink(company.memberCaller);
    const idOf = async () => (await readEntries(token, format))[0]?.id;
    const first = await idOf();
    await harness.deps.keys.update(company.memberCaller, key.id, { comment: 'Continuous' }, null);
    expect(await idOf()).toBe(first);
    harness.clock.advance(HOUR_MS);
    await harness.deps.keys.regenerate(company.memberCaller, key.id, {});
    expect(await idOf()).not.toBe(first);
  });

  it('is sent only when it has changed, and is for its reader alone', async () => {
    const key = await mint(company.member, 'CI');
    const { token } = await makeLink(company.memberCaller);
    const first = await ask(token, format);
    const etag = String(first.headers['etag']);
    expect(first.headers['content-type']).toBe(
      `${format === 'ics' ? 'text/calendar' : 'application/atom+xml'}; charset=utf-8`,
    );
    expect(first.headers['cache-control']).toMatch(/^private\b/);
    harness.clock.advance(HOUR_MS);
    const second = await ask(token, format, { 'if-none-match': etag });
    expect([second.statusCode, second.body, second.headers['etag']]).toEqual([304, '', etag]);
    await harness.deps.keys.update(company.memberCaller, key.id, { comment: 'Changed' }, null);
    const third = await ask(token, format, { 'if-none-match': etag });
    expect(third.statusCode).toBe(200);
    expect(third.body).toContain('Changed');
  });
});

it('a feed holds 500 keys at most, the soonest, and leaves the event loop to others while it is made', async () => {
  await harness.deps.settings.update(
    company.adminCaller,
    { expiryNoticeDays: [30, 21, 14, 10, 7, 5, 3, 2, 1] },
    null,
  );
  await importMany(501, (index) => `${'鍵🦀'.repeat(80)} ${index}`);
  const { token } = await makeLink(company.memberCaller);
  const turnsOfReading = countTurns();
  const feed = await harness.deps.feeds.read(company.memberCaller, new Secret(token));
  expect(turnsOfReading.stop()).toBeGreaterThanOrEqual(9);
  for (const format of FORMATS) {
    const turns = countTurns();
    const text = await (format === 'ics' ? toCalendar(feed) : toAtom(feed));
    expect(turns.stop()).toBeGreaterThanOrEqual(90);
    expect(text).toBe((await ask(token, format)).body);
    const titles = await titlesOf(token, format);
    expect(titles).toHaveLength(500);
    expect(titles[0]).toContain('🦀 500”');
    expect(titles.at(-1)).toContain('🦀 1”');
  }
});

describe('the calendar', () => {
  it('reminds at the notice days of the settings, and of a short key at half of its life', async () => {
    await harness.deps.settings.update(company.adminCaller, { expiryNoticeDays: [30, 10, 2] }, null);
    const long = await mint(company.member, 'long', 90);
    await mint(company.member, 'short', 1);
    const { token } = await makeLink(company.memberCaller);
    const [short, other] = readCalendar((await ask(token, 'ics')).body);
    const triggersOf = (alarms: readonly ICAL.Component[] | undefined) =>
      alarms?.map((alarm) => String(alarm.getFirstPropertyValue('trigger')));
    expect(triggersOf(short?.alarms)).toEqual(['-PT12H']);
    expect(triggersOf(other?.alarms)).toEqual(['-P30D', '-P10D', '-P2D']);
    expect(other?.event.startDate.toJSDate().getTime()).toBe(long.current.expiresAt);
    expect(other?.event.startDate.zone.tzid).toBe('UTC');
  });

  it('has no line of more than 75 octets', async () => {
    await mint(company.member, `${'鍵🦀'.repeat(84)};,`);
    const { body } = await ask((await makeLink(company.memberCaller)).token, 'ics');
    const lines = body.split('\r\n');
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => Buffer.byteLength(line) > 75)).toEqual([]);
    // Each line has an end, the last one too, and nothing else breaks a line.
    expect(lines.slice(-2)).toEqual(['END:VCALENDAR', '']);
    expect(lines.join('')).not.toMatch(/[\r\n]/);
  });
});

describe('the Atom feed', () => {
  it('brings an expiry up again when a notice day has come', async () => {
    const key = await mint(company.member, 'CI', 90);
    const { token } = await makeLink(company.memberCaller);
    const updatedAt = async () => {
      const { items, updated } = parseFeed((await ask(token, 'atom')).body);
      expect(updated).toEqual(items[0]?.updated);
      return items[0]?.updated?.getTime();
    };
    expect(await updatedAt()).toBe(key.updatedAt);
    harness.clock.advance(80 * DAY_MS - 1);
    expect(await updatedAt()).toBe(key.updatedAt);
    harness.clock.advance(HOUR_MS);
    expect(await updatedAt()).toBe((key.current.expiresAt ?? 0) - 10 * DAY_MS);
  });
});

describe('a feed link', () => {
  async function expectGone(token: string) {
    for (const format of FORMATS) {
      const answer = await ask(token, format);
      expect(answer.statusCode).toBe(404);
      const { instance, ...problem } = answer.json<{ instance: string }>();
      expect(instance).toMatch(/^req_/);
      expect(problem).toEqual(WRONG);
      expect(answer.headers['etag']).toBeUndefined();
    }
  }
  const WRONG = {
    type: expect.stringContaining('request.not_found') as string,
    title: 'Not found',
    status: 404,
    code: 'request.not_found',
    detail:
      'Check the address and the id. What you may not see is answered in the same way as what does not exist.',
  };

  it('with a wrong token leads nowhere', async () => {
    const { token } = await makeLink(company.memberCaller);
    const shortened = token.slice(1);
    for (const wrong of [
      'a'.repeat(43),
      shortened,
      `${shortened}-`,
      `${token}a`,
      'a'.repeat(250),
      '%20',
      '..%2f',
    ])
      await expectGone(wrong);
  });

  it('leads nowhere once it is deleted, and its account disabled or deleted', async () => {
    const deleted = await makeLink(company.memberCaller);
    await harness.deps.feeds.remove(company.memberCaller, deleted.id);
    await expectGone(deleted.token);
    const { token } = await makeLink(company.memberCaller);
    const { accounts, storage } = harness.deps;
    await accounts.update(company.adminCaller, 'user', company.member.id, { state: 'disabled' }, null);
    await expectGone(token);
    await accounts.update(company.adminCaller, 'user', company.member.id, { state: 'active' }, null);
    expect((await ask(token, 'ics')).statusCode).toBe(200);
    await accounts.remove(company.adminCaller, 'user', company.member.id);
    await expectGone(token);
    expect(await storage.read.selectFrom('feed_links').selectAll().execute()).toEqual([]);
  });

  it('to the workspace leads nowhere once its holder is no administrator any more', async () => {
    const deputy = await harness.createAccount({
      kind: 'user',
      email: 'deputy@example.com',
      displayName: 'Deputy',
      role: 'admin',
    });
    const caller = await harness.callerOf(deputy);
    const [own, workspace] = [await makeLink(caller, 'own'), await makeLink(caller, 'workspace')];
    expect((await ask(workspace.token, 'ics')).statusCode).toBe(200);
    await harness.deps.accounts.update(company.adminCaller, 'user', deputy.id, { role: 'member' }, null);
    await expectGone(workspace.token);
    expect((await ask(own.token, 'ics')).statusCode).toBe(200);
  });

  it('is good at the address of its own workspace only', async () => {
    const { workspaces } = harness.deps;
    await workspaces.create(company.adminCaller, { name: 'Bolt', subdomain: 'bolt', aliases: [] });
    const { token } = await makeLink(company.memberCaller);
    const answer = await ask(token, 'ics', { host: 'bolt.keys.test:8080' });
    expect(answer.statusCode).toBe(404);
  });

  it('is kept as a digest, and its token told nowhere else', async () => {
    const { token } = await makeLink(company.memberCaller);
    await ask(token, 'ics');
    await ask(token, 'atom');
    const { read } = harness.deps.storage;
    const rows = [
      await read.selectFrom('feed_links').selectAll().execute(),
      await read.selectFrom('audit').selectAll().execute(),
    ];
    expect(rows[0]).toHaveLength(1);
    expect(JSON.stringify([rows, harness.logLines])).not.toContain(token);
  });

  it('tells to the hour when it was last used', async () => {
    const { id, token } = await makeLink(company.memberCaller);
    const usedAt = async () => {
      const { items } = await harness.deps.feeds.list(company.memberCaller, { limit: 50 });
      return items.find((link) => link.id === id)?.lastUsedAt;
    };
    expect(await usedAt()).toBeNull();
    const first = harness.clock.now();
    await ask(token, 'ics');
    harness.clock.advance(HOUR_MS - 1);
    await ask(token, 'atom');
    expect(await usedAt()).toBe(first);
    harness.clock.advance(1);
    await ask(token, 'atom');
    expect(await usedAt()).toBe(first + HOUR_MS);
  });

  it('can be had ten times by an account, and deleted by nobody else but an administrator', async () => {
    const links = [];
    for (let count = 0; count < 10; count += 1) links.push(await makeLink(company.memberCaller));
    await expect(makeLink(company.memberCaller)).rejects.toMatchObject({ code: 'feed.too_many_links' });
    const { feeds, storage } = harness.deps;
    const id = links[3]?.id ?? '';
    await expect(feeds.remove(company.strangerCaller, id)).rejects.toMatchObject({
      code: 'request.not_found',
    });
    await feeds.remove(company.memberCaller, id);
    await makeLink(company.memberCaller);
    expect((await feeds.list(company.strangerCaller, { limit: 50 })).items).toEqual([]);
    const rows = await storage.read
      .selectFrom('audit')
      .select(['action', 'actor_id', 'target_id'])
      .where('action', 'like', 'feed_link.%')
      .execute();
    expect(rows.filter((row) => row.action === 'feed_link.created')).toHaveLength(11);
    expect(rows.filter((row) => row.action === 'feed_link.deleted')).toEqual([
      { action: 'feed_link.deleted', actor_id: company.member.id, target_id: id },
    ]);
  });

  it('that leaked is ended by an administrator, who finds its id in the audit log', async () => {
    const { id, token } = await makeLink(company.memberCaller);
    const { storage, feeds } = harness.deps;
    const { target_id } = await storage.read
      .selectFrom('audit')
      .select('target_id')
      .where('action', '=', 'feed_link.created')
      .where('account_id', '=', company.member.id)
      .executeTakeFirstOrThrow();
    expect(target_id).toBe(id);
    await feeds.remove(company.adminCaller, id);
    await expectGone(token);
    const row = await storage.read
      .selectFrom('audit')
      .select(['actor_id', 'account_id', 'target_id'])
      .where('action', '=', 'feed_link.deleted')
      .executeTakeFirst();
    expect(row).toEqual({ actor_id: company.admin.id, account_id: company.member.id, target_id: id });
  });

  it('is made in the console, and shows its addresses then only', async () => {
    const { accounts, passwords, storage } = harness.deps;
    const password = 'lantern orchard seventeen';
    const hash = await passwords.hash(new Secret(password), []);
    await inTransaction(storage, (tx) =>
      accounts.savePasswordHash(tx, company.adminCaller, company.member, hash),
    );
    const signIn = await call(harness, 'POST', '/v1/session', {
      body: { email: 'mei@example.com', password },
    });
    const cookie = String(signIn.headers['set-cookie']).split(';')[0] ?? '';
    const send = (method: 'GET' | 'POST' | 'DELETE', url: string, body?: unknown) =>
      call(harness, method, url, { headers: { cookie }, ...(body === undefined ? {} : { body }) });
    const created = await send('POST', '/v1/feed-links', { scope: 'own' });
    expect(created.statusCode, created.body).toBe(201);
    const { calendarUrl, atomUrl, ...shown } = created.json<Record<string, string>>();
    expect(calendarUrl).toMatch(/^http:\/\/localhost:8080\/feeds\/[0-9A-Za-z]{43}\/expiries\.ics$/);
    expect(atomUrl).toBe(calendarUrl?.replace(/ics$/, 'atom'));
    expect((await send('GET', '/v1/feed-links')).json()).toEqual({ items: [shown], nextCursor: null });
    expect((await send('POST', '/v1/feed-links', { scope: 'workspace' })).statusCode).toBe(403);
    expect((await send('DELETE', `/v1/feed-links/${shown['id']}`)).statusCode).toBe(204);
    expect((await send('GET', '/v1/feed-links')).json()).toMatchObject({ items: [] });
    const byKey = await call(harness, 'GET', '/v1/feed-links', { key: company.adminKey });
    expect(byKey.statusCode).toBe(403);
  });
});
