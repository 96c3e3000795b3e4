import { afterAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { mintKey, type Person, signIn } from '../console.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from '../server-process.ts';
import { createFakedClock, type FakedClock } from './faked-clock.ts';
import { callDesk } from './ledger.ts';
import { sabotagedBy } from './sabotage.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As much as the clocks of two machines may differ; a jump moves by whole seconds. */
const SLACK_MS = 2_000;
const FUTURE_MS = 60_000;

const place = openWorkplace();
afterAll(() => place.close());

/** When a credential must be taken: from, to (in the time of the server), and not at all once it is dead. */
interface Expectation {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  dead: boolean;
  readonly isTaken: () => Promise<boolean>;
}

interface Site {
  readonly server: ServerProcess;
  readonly clock: FakedClock;
  readonly cast: Expectation[];
}

async function openSite(data: string, extra: Readonly<Record<string, string>> = {}): Promise<Site> {
  const clock = createFakedClock(place.folder);
  // A zone with daylight saving: nothing may depend on the wall clock of the machine.
  const env = {
    ...WITH_ADMIN,
    KEYREEVE_LOG_LEVEL: 'error',
    TZ: 'Europe/Berlin',
    ...clock.environment,
    ...extra,
  };
  return { server: await place.start({ data, env }), clock, cast: [] };
}

async function isOk(url: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
  const answer = await fetch(url, { headers });
  await answer.arrayBuffer();
  if (answer.status >= 500) throw new Error(`${url} is answered with ${answer.status}.`);
  return answer.ok;
}

/** New credentials at the present time of the server: some to stay, and of each kind one that is revoked at once. */
async function addCast({ server, clock, cast }: Site, moment: string): Promise<void> {
  const admin = await signIn(server.url);
  for (const dead of [false, true]) {
    const at = clock.now();
    const key = await mintKey(admin, admin.accountId, {
      comment: moment,
      access: 'account',
      lifetimeDays: 365,
    });
    const life = Date.parse(key.key.expiresAt ?? '') - Date.parse(key.key.createdAt);
    expect(life, `the life of a key of ${moment}`).toBe(365 * DAY_MS);
    const token = await getToken(server.url, key);
    const url = `${server.url}/v1/keys/self`;
    const self = (credential: string) => () => isOk(url, { authorization: `Bearer ${credential}` });
    cast.push(
      { kind: `key of ${moment}`, from: 0, to: at + 365 * DAY_MS, dead, isTaken: self(key.fullKey) },
      {
        kind: `token of ${moment}`,
        from: at - FUTURE_MS,
        to: at + token.expiresInMs,
        dead,
        isTaken: self(token.text),
      },
    );
    if (dead) await admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: key.apiKey } } });
  }
  await signOut(server, admin);
  const isTaken = () => isOk(`${server.url}/v1/session`, { cookie: admin.cookie });
  cast.push({ kind: `session of ${moment}`, from: 0, to: 0, dead: true, isTaken });
}

async function getToken(url: string, { apiKey, secretKey }: { apiKey: string; secretKey: string }) {
  const answer = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: text, expires_in: seconds } = (await answer.json()) as {
    access_token: string;
    expires_in: number;
  };
  return { text, expiresInMs: seconds * 1_000 };
}

async function signOut(server: ServerProcess, { cookie, accountId }: Person): Promise<void> {
  const answer = await callDesk({ url: server.url, cookie, accountId }, 'DELETE', '/v1/session');
  expect(answer.status).toBe(204);
}

interface Judged {
  readonly wrongAccepts: string[];
  readonly wrongRefusals: string[];
}

/** Asks about every credential, and compares with what the time of the server says. */
async function judge({ clock, cast }: Site, moment: string, judged: Judged): Promise<void> {
  for (const { kind, from, to, dead, isTaken } of cast) {
    const now = clock.now();
    const taken = await isTaken();
    const mayBe = !dead && now >= from - SLACK_MS && now < to + SLACK_MS;
    // Tokens may be refused early: with the clock years ahead, the key that signed them was withdrawn.
    const mustBe = !dead && kind.startsWith('key') && now >= from + SLACK_MS && now < to - SLACK_MS;
    if (taken && !mayBe) judged.wrongAccepts.push(`${kind} at ${moment}`);
    if (!taken && mustBe) judged.wrongRefusals.push(`${kind} at ${moment}`);
  }
}

const start = Date.now();
/** Each moment and the time that the clock jumps to; between them it goes on by itself. */
const JUMPS: Readonly<Record<string, number>> = {
  'an hour ahead': start + HOUR_MS,
  'a day back': start - DAY_MS,
  'right again': start,
  'before the hour that is skipped in March': Date.UTC(2027, 2, 28, 0, 59, 59),
  'after the hour that is skipped in March': Date.UTC(2027, 2, 28, 1, 0, 1),
  'before the hour that comes twice in October': Date.UTC(2027, 9, 31, 0, 59, 59),
  'after the hour that comes twice in October': Date.UTC(2027, 9, 31, 1, 0, 1),
  'the leap day': Date.UTC(2028, 1, 29, 12),
  'the last second of 32 bits': Date.UTC(2038, 0, 19, 3, 14, 7),
  'after it': Date.UTC(2038, 0, 19, 3, 14, 9),
  'right again at last': start,
};

describe('a clock that jumps while the server runs', () => {
  it('ends no server, and makes it take nothing that has ended', async () => {
    const site = await openSite('jumps');
    const judged: Judged = { wrongAccepts: [], wrongRefusals: [] };
    await addCast(site, 'the start');
    for (const [moment, at] of Object.entries(JUMPS)) {
      site.clock.set(at);
      await judge(site, moment, judged);
      await addCast(site, moment);
      await judge(site, `${moment}, with newer ones`, judged);
    }
    const isAlive = await isOk(`${site.server.url}/readyz`, {});
    const exitCode = isAlive ? await site.server.stop() : null;
    const asked = site.cast.length;
    recordFigure(25, {
      name: 'servers that end or stop answering',
      reached: exitCode === 0 ? 0 : 1,
      wanted: '0',
      isHeld: exitCode === 0,
    });
    recordFigure(25, {
      name: 'wrong accepts',
      reached: `${judged.wrongAccepts.length} at ${Object.keys(JUMPS).length} jumps, up to ${asked} credentials each`,
      wanted: '0',
      isHeld: judged.wrongAccepts.length === 0,
    });
    recordFigure(25, {
      name: 'good keys refused',
      reached: judged.wrongRefusals.length,
      wanted: '0',
      isHeld: judged.wrongRefusals.length === 0,
    });
    expect(judged).toEqual({ wrongAccepts: [], wrongRefusals: [] });
    expect(exitCode).toBe(0);
  });

  it('makes the control, a server that keeps the time of its start, take what has ended', async () => {
    const site = await openSite('frozen', sabotagedBy('frozen-clock.mjs'));
    const judged: Judged = { wrongAccepts: [], wrongRefusals: [] };
    await addCast(site, 'the start');
    site.clock.set(start + 366 * DAY_MS);
    await judge(site, 'a year ahead', judged);
    await site.server.kill();
    recordControl(25, {
      name: 'a server that keeps the time of its start',
      shown: `${judged.wrongAccepts.length} wrong accepts at 1 jump`,
      hasFailed: judged.wrongAccepts.length > 0,
    });
    expect(judged.wrongAccepts.length).toBeGreaterThan(0);
  });
});
