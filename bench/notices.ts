/**
 * What mails cost verifications: the rate of `GET /v1/authorize` while the mail server refuses, hangs, or takes all
 * that is due, beside its rate while nothing is to be sent, in one run and in turn.
 */
import { type SinkMode, startSmtpSink } from '../packages/testkit/src/smtp-sink.ts';
import { median } from './harness/statistics.ts';
import { ADMIN, startKeyreeve } from './servers.ts';
import { type Load, type Measured, measureLoad } from './wrk.ts';

const ROUNDS = 5;
const SECONDS = 3;
/** Due at the beginning of a round: more than are sent while it is measured. */
const MAILS = 400;
const WEATHERS = ['calm', 'busy', 'hang', 'accept'] as const;
type Weather = (typeof WEATHERS)[number];

const WHAT: Readonly<Record<Weather, string>> = {
  calm: 'nothing to send',
  busy: 'mail server refuses',
  hang: 'mail server says nothing',
  accept: 'mails go out',
};

interface Site {
  readonly url: string;
  readonly cookie: string;
  readonly accountId: string;
}

async function request(
  site: Omit<Site, 'accountId'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(`${site.url}${path}`, {
    method,
    headers: { cookie: site.cookie, 'content-type': 'application/json', 'if-match': '*' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return await response.json();
}

async function signIn(url: string): Promise<Site> {
  const response = await fetch(`${url}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  if (!response.ok) throw new Error(`Signing in answered ${response.status}.`);
  const { account } = (await response.json()) as { account: { id: string } };
  const cookie = (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  return { url, cookie, accountId: account.id };
}

async function makeKey(site: Site): Promise<{ fullKey: string }> {
  const wish = { comment: 'bench', access: 'account' };
  return (await request(site, 'POST', `/v1/accounts/${site.accountId}/keys`, wish)) as { fullKey: string };
}

/** Every new key is a mail to its owner. */
async function makeMails(site: Site): Promise<void> {
  for (let made = 0; made < MAILS; made += 1) await makeKey(site);
}

async function measureIn(weather: Weather, site: Site, load: Load, setMode: (mode: SinkMode) => void) {
  // What waits is written while the server refuses, so that sending begins with the round.
  setMode('busy');
  if (weather !== 'calm') await makeMails(site);
  setMode(weather === 'calm' ? 'accept' : weather);
  return await measureLoad(site.url, load, SECONDS);
}

async function main(): Promise<void> {
  const sink = await startSmtpSink();
  const ours = await startKeyreeve({ KEYREEVE_SMTP_URL: sink.url, KEYREEVE_SMTP_ALLOW_PLAIN: '1' });
  try {
    const site = await signIn(ours.url);
    await request(site, 'PATCH', '/v1/settings', { maxKeysPerAccount: 10_000 });
    const { fullKey } = await makeKey(site);
    const load: Load = {
      method: 'GET',
      path: '/v1/authorize?action=package:push&resource=Acme.Tool',
      headers: { authorization: `Bearer ${fullKey}` },
    };
    const rounds: Record<Weather, Measured>[] = [];
    await measureLoad(site.url, load, SECONDS);
    for (let round = 0; round < ROUNDS; round += 1) {
      const measured: Partial<Record<Weather, Measured>> = {};
      for (const weather of WEATHERS)
        measured[weather] = await measureIn(weather, site, load, (mode) => sink.setMode(mode));
      rounds.push(measured as Record<Weather, Measured>);
    }
    process.stdout.write(
      `${ROUNDS} rounds of ${SECONDS} s each, in turn, ${MAILS} mails due at the beginning of a round; server on one core, wrk with 32 connections on the other, which the mail server shares\n\n`,
    );
    process.stdout.write('                           requests/s   of calm (min to max)   p99 ms\n');
    for (const weather of WEATHERS) {
      const ratios = rounds.map((one) => one[weather].requestsPerSecond / one.calm.requestsPerSecond);
      const rate = median(rounds.map((one) => one[weather].requestsPerSecond));
      const p99Ms = median(rounds.map((one) => one[weather].p99Ms));
      process.stdout.write(
        `${WHAT[weather].padEnd(26)} ${rate.toFixed(0).padStart(10)}   ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})   ${p99Ms.toFixed(2).padStart(10)}\n`,
      );
    }
    process.stdout.write(`${sink.mails.length} mails arrived\n`);
  } finally {
    await ours.stop();
    await sink.close();
  }
}

await main();
