import { type Company, type Harness, seedCompany, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NoticePayloads } from '../../jobs/index.ts';
import { DAY_MS } from '../../lib/clock.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction } from '../../storage/index.ts';
import { describeBrowser } from './sign-in-places.ts';

const PASSWORD = 'lantern orchard seventeen';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const NEWER_FIREFOX = FIREFOX.replaceAll('145', '146');
const EDGE =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0';

let harness: Harness;
let company: Company;

beforeEach(async () => {
  harness = await startHarness();
  company = await seedCompany(harness);
  const { accounts, passwords, storage } = harness.deps;
  const hash = await passwords.hash(new Secret(PASSWORD), []);
  await inTransaction(storage, (tx) =>
    accounts.savePasswordHash(tx, company.adminCaller, company.member, hash),
  );
  await takeMails();
});
afterEach(() => harness.close());

async function takeMails(): Promise<(NoticePayloads['session.new_place'] & { readonly to: string })[]> {
  const { storage, queue } = harness.deps;
  const rows = await storage.read
    .selectFrom('outbox')
    .selectAll()
    .where('kind', '=', 'session.new_place')
    .execute();
  await inTransaction(storage, async (tx) => {
    await tx.deleteFrom('outbox').execute();
  });
  return rows.map((row) => ({
    ...(queue.open(row).payload as NoticePayloads['session.new_place']),
    to: row.to_address,
  }));
}

/** Signs the member in from there; the mails that this set off. */
async function signIn(ip: string, userAgent: string) {
  const answer = await harness.app.inject({
    method: 'POST',
    url: '/v1/session',
    remoteAddress: ip,
    headers: { 'user-agent': userAgent },
    payload: { email: 'mei@example.com', password: PASSWORD },
  });
  expect(answer.statusCode, answer.body).toBe(200);
  return await takeMails();
}

describe('a sign-in', () => {
  it('from the first place of all is no news', async () => {
    expect(await signIn('192.0.2.10', FIREFOX)).toEqual([]);
  });

  it('from another address of the same range, and after an update of the browser, is none either', async () => {
    await signIn('192.0.2.10', FIREFOX);
    expect(await signIn('192.0.2.200', NEWER_FIREFOX)).toEqual([]);
  });

  it('from another range or with another browser is told, once', async () => {
    await signIn('192.0.2.10', FIREFOX);
    expect(await signIn('198.51.100.7', FIREFOX)).toMatchObject([
      { to: 'mei@example.com', ip: '198.51.100.7', userAgent: 'Firefox, Linux', at: harness.clock.now() },
    ]);
    expect(await signIn('198.51.100.8', FIREFOX)).toEqual([]);
    expect(await signIn('198.51.100.8', EDGE)).toMatchObject([{ userAgent: 'Edge, Windows' }]);
  });

  it('from a place that was not seen for 90 days is told again', async () => {
    await signIn('192.0.2.10', FIREFOX);
    await signIn('198.51.100.7', FIREFOX);
    harness.clock.advance(90 * DAY_MS);
    expect(await signIn('192.0.2.10', FIREFOX)).toEqual([]);
    harness.clock.advance(1);
    expect(await signIn('198.51.100.7', FIREFOX)).toHaveLength(1);
  });

  it('leaves no place behind in the database that was not seen for 90 days', async () => {
    for (const ip of ['192.0.2.10', '198.51.100.7', '203.0.113.5']) await signIn(ip, FIREFOX);
    harness.clock.advance(90 * DAY_MS + 1);
    expect(await signIn('192.0.2.10', FIREFOX)).toHaveLength(1);
    const { member } = company;
    const rows = await harness.deps.storage.read
      .selectFrom('sign_in_places')
      .select('last_seen_at')
      .where('account_id', '=', member.id)
      .execute();
    expect(rows).toEqual([{ last_seen_at: harness.clock.now() }]);
  });

  it('with a wrong password is no sign-in', async () => {
    await signIn('192.0.2.10', FIREFOX);
    const answer = await harness.app.inject({
      method: 'POST',
      url: '/v1/session',
      remoteAddress: '203.0.113.5',
      payload: { email: 'mei@example.com', password: 'harbour quilt lantern' },
    });
    expect(answer.statusCode).toBe(401);
    expect(await takeMails()).toEqual([]);
  });
});

it.each([
  [null, null],
  ['curl/8.5.0', null],
  [FIREFOX, 'Firefox, Linux'],
  [EDGE, 'Edge, Windows'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
    'Safari, iOS',
  ],
  ['<script>alert(1)</script> Firefox/1 Linux', 'Firefox, Linux'],
])('a browser that calls itself %j is told as %j', (userAgent, name) => {
  expect(describeBrowser(userAgent)).toBe(name);
});
