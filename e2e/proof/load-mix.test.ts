import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { type SmtpSink, startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../packages/testkit/src/webhook-receiver.ts';
import { mintKey, type Person, signIn } from '../console.ts';
import { quantile } from '../nodes/delays.ts';
import { ADMIN, MAIN, openWorkplace, type ServerProcess, WITH_ADMIN } from '../server-process.ts';
import { listHostileRequests, sendHostile } from './load-hostile.ts';
import { type LoopDelay, readLoopDelay, type Sampled, sampleDuring } from './load-sampler.ts';
import { toRequest } from './raw-caller.ts';
import { sabotagedBy } from './sabotage.ts';

const IS_FULL = process.env['PROOF_FULL'] === '1';
const LOGINS = 40;
const LOGIN_MS = IS_FULL ? 15_000 : 1_500;
const MIX_MS = IS_FULL ? 60_000 : 1_000;
const ROUNDS = IS_FULL ? 20 : 2;
const ROUND_MS = IS_FULL ? 1_500 : 300;
const LOGIN_P99_MS_MAX = 25;
const LOOP_MS_MAX = { p99: 50, max: 250 };
const RATIO_MAX = 1.1;
/** Of a machine that runs other suites as well: far more than there is, and far less than with the fault. */
const SHORT_RATIO_MAX = 5;
const WAIT_FOR_MAIL_MS = 700;

const place = openWorkplace();
const fullWhile = path.join(place.folder, 'log-is-full');
let sink: SmtpSink;
let receiver: WebhookReceiver;
let server: Watched;
let sabotaged: Watched;

/** A server, and questions about a good key for both ways on which it answers them. */
interface Watched {
  readonly process: ServerProcess;
  readonly questions: readonly Buffer[];
}

async function start(data: string, env: Readonly<Record<string, string>>): Promise<Watched> {
  const started = await place.start({ data, env: { ...WITH_ADMIN, ...env } });
  const admin = await signIn(started.url);
  const { fullKey } = await mintKey(admin, admin.accountId, { comment: 'lives', access: 'account' });
  const headers = { authorization: `Bearer ${fullKey}` };
  const questions = ['GET', 'PUT'].map((method) => toRequest({ method, path: '/v1/authorize', headers }));
  return { process: started, questions };
}

beforeAll(async () => {
  sink = await startSmtpSink();
  receiver = await startWebhookReceiver();
  server = await start('server', {
    KEYREEVE_SMTP_URL: sink.url,
    KEYREEVE_SMTP_ALLOW_PLAIN: '1',
    KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    KEYREEVE_WEBHOOK_PORTS: String(receiver.port),
    FULL_WHILE_THERE_IS: fullWhile,
    ...sabotagedBy('load-full-log.mjs'),
  });
  sabotaged = await start('sabotaged', {
    KEYREEVE_LOG_LEVEL: 'error',
    SABOTAGED_FROM: MAIN,
    ...sabotagedBy('load-hash-on-loop.mjs'),
  });
  const { api } = await signIn(server.process.url);
  await api.POST('/v1/webhooks', { body: { url: `${receiver.url}hook`, description: 'all' } });
});
afterAll(async () => {
  await place.close();
  await sink.close();
  await receiver.close();
});

const isYes = ({ status }: { readonly status: number }) => status === 204;
const roundedAt = ({ tookMs }: Sampled, part: number) => Math.round(quantile(tookMs, part) * 10) / 10;
const p99 = (sampled: Sampled) => roundedAt(sampled, 0.99);
/** Of the few in the short form, the slowest tell of other suites on the same cores. */
const PART = IS_FULL ? 0.99 : 0.5;
const sample = ({ process, questions }: Watched, work: () => Promise<void>) =>
  sampleDuring(process.port, questions, isYes, work);

/** Forty people sign in at the same time, again and again. @returns how many sign-ins were answered with 200 */
async function logInTogether({ process }: Watched): Promise<number> {
  const untilMs = performance.now() + LOGIN_MS;
  let hashed = 0;
  const loop = async () => {
    while (performance.now() < untilMs) {
      const answer = await fetch(`${process.url}/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ADMIN),
      });
      await answer.arrayBuffer();
      if (answer.status === 200) hashed += 1;
      // Told to come again later, as whoever is no longer in the queue.
      else await delay(100);
    }
  };
  await Promise.all(Array.from({ length: LOGINS }, loop));
  return hashed;
}

async function measureLogins(watched: Watched): Promise<{ sampled: Sampled; loop: LoopDelay }> {
  await readLoopDelay(watched.process.url);
  let hashed = 0;
  const sampled = await sample(watched, async () => {
    hashed = await logInTogether(watched);
  });
  expect(hashed).toBeGreaterThan(5);
  return { sampled, loop: await readLoopDelay(watched.process.url) };
}

describe('verifications', () => {
  it('do not wait for forty people who sign in at once, nor does the event loop', async () => {
    const { sampled, loop } = await measureLogins(server);
    const control = await measureLogins(sabotaged);
    const [ours, theirs] = [roundedAt(sampled, PART), roundedAt(control.sampled, PART)];
    const of = IS_FULL ? 'p99' : 'the median';
    recordFigure(20, {
      name: 'a verification beside 40 sign-ins, in parts of one whose server hashes on its event loop',
      reached: `${(ours / theirs).toFixed(2)} at ${of} (${ours} ms and ${theirs} ms; ${sampled.tookMs.length} verifications, ${sampled.failures.length} failed)`,
      wanted: 'at most 0.70 at p99, none failed (short form: at the median)',
      isHeld: ours <= 0.7 * theirs && sampled.failures.length === 0,
    });
    recordControl(20, {
      name: 'passwords hashed on the event loop',
      shown: `p99 ${p99(control.sampled)} ms`,
      hasFailed: p99(control.sampled) >= LOGIN_P99_MS_MAX,
    });
    const { p99Ms, maxMs } = control.loop;
    recordControl(21, {
      name: 'passwords hashed on the event loop',
      shown: `event-loop delay p99 ${p99Ms} ms, at most ${maxMs} ms (of ours ${loop.p99Ms} and ${loop.maxMs})`,
      hasFailed: p99Ms >= LOOP_MS_MAX.p99 || maxMs >= LOOP_MS_MAX.max,
    });
    if (IS_FULL)
      recordFigure(20, {
        name: 'a verification beside 40 sign-ins',
        reached: `p99 ${ours} ms`,
        wanted: 'less than 25 ms',
        isHeld: ours < LOGIN_P99_MS_MAX,
      });
    expect(sampled.failures).toEqual([]);
    expect(ours).toBeLessThan(0.7 * theirs);
    expect(p99Ms >= LOOP_MS_MAX.p99 || maxMs >= LOOP_MS_MAX.max).toBe(true);
    if (IS_FULL) expect(ours).toBeLessThan(LOGIN_P99_MS_MAX);
  });

  it('and the event loop are not held up by anything that anybody may send', async () => {
    const { process } = server;
    const hostile = await listHostileRequests(process.url, await signIn(process.url));
    await readLoopDelay(process.url);
    let statuses: Record<string, number> = {};
    const sampled = await sample(server, async () => {
      statuses = await sendHostile(hostile, { callers: 4, untilMs: performance.now() + MIX_MS });
    });
    const loop = await readLoopDelay(process.url);
    const faults = Object.keys(statuses).filter((status) => status.startsWith('5'));
    recordFigure(21, {
      name: 'verifications that failed, and faults, under hostile requests',
      reached: `${sampled.failures.length} of ${sampled.tookMs.length}, and ${faults.length} (${JSON.stringify(statuses)})`,
      wanted: '0 and 0',
      isHeld: sampled.failures.length === 0 && faults.length === 0,
    });
    const reached = `p99 ${loop.p99Ms} ms, at most ${loop.maxMs} ms`;
    console.log(`Event loop under ${hostile.length} kinds of hostile requests: ${reached}`);
    if (IS_FULL)
      recordFigure(21, {
        name: 'event-loop delay under hostile requests',
        reached,
        wanted: 'p99 less than 50 ms, at most 250 ms',
        isHeld: loop.p99Ms < LOOP_MS_MAX.p99 && loop.maxMs < LOOP_MS_MAX.max,
      });
    expect(sampled.failures).toEqual([]);
    expect(faults).toEqual([]);
    if (IS_FULL) {
      expect(loop.p99Ms).toBeLessThan(LOOP_MS_MAX.p99);
      expect(loop.maxMs).toBeLessThan(LOOP_MS_MAX.max);
    }
  });
});

/** Nobody takes mails or webhooks any more, and the disk under the log is full. */
function breakOutside(): void {
  sink.setMode('hang');
  receiver.answerWith(() => {});
  writeFileSync(fullWhile, '');
}

function mendOutside(): void {
  sink.setMode('accept');
  receiver.reset();
  rmSync(fullWhile, { force: true });
}

/** Each round has the same to tell: mails and events about keys. */
async function tellSomething(admin: Person): Promise<void> {
  const untilMs = performance.now() + ROUND_MS;
  while (performance.now() < untilMs) {
    const { apiKey } = await mintKey(admin, admin.accountId, { comment: 'told', access: 'account' });
    await admin.api.DELETE('/v1/keys/{keyId}', { params: { path: { keyId: apiKey } } });
    await delay(50);
  }
}

/**
 * The same rounds, whole and broken in turn, so that the machine is the same for both.
 *
 * @returns `ratio` the p99 of a broken round in parts of that of the whole one before it, the median of all pairs
 */
async function compareRounds(measure: () => Promise<Sampled>) {
  const failures: string[] = [];
  const ratios: number[] = [];
  let asked = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    mendOutside();
    const whole = await measure();
    breakOutside();
    const broken = await measure();
    ratios.push(quantile(broken.tookMs, 0.99) / quantile(whole.tookMs, 0.99));
    failures.push(...whole.failures, ...broken.failures);
    asked += broken.tookMs.length;
  }
  mendOutside();
  return { failures, asked, ratio: quantile(ratios, 0.5) };
}

/** The negative control: before each answer it tells the mail server, and waits for it. */
async function startTellingProxy(): Promise<{ port: number; close(): void }> {
  const proxy = createServer((request, response) => {
    const told = connect(sink.port, '127.0.0.1').on('error', () => {});
    const greeting = Promise.race([once(told, 'data'), delay(WAIT_FOR_MAIL_MS)]);
    const { method = '', url = '', headers } = request;
    const answer = async () => {
      const { status } = await fetch(`${server.process.url}${url}`, {
        method,
        headers: { authorization: headers.authorization ?? '' },
      });
      await greeting;
      told.destroy();
      response.writeHead(status).end();
    };
    void answer();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

describe('verifications while nobody takes mails, webhooks or log lines', () => {
  it('are answered as quickly as ever', async () => {
    // An account keeps its latest hundred sessions, and forty people have signed in to it for a while.
    const admin = await signIn(server.process.url);
    const { failures, asked, ratio } = await compareRounds(() => sample(server, () => tellSomething(admin)));
    recordFigure(19, {
      name: 'verifications that failed while mail, webhooks and log are broken',
      reached: `${failures.length} of ${asked}`,
      wanted: '0',
      isHeld: failures.length === 0,
    });
    if (IS_FULL)
      recordFigure(19, {
        name: 'p99 while mail, webhooks and log are broken, in parts of that while they are whole',
        reached: `${ratio.toFixed(2)}, the median of ${ROUNDS} pairs of rounds`,
        wanted: 'at most 1.10',
        isHeld: ratio <= RATIO_MAX,
      });
    console.log(`While all around is broken: ${ratio.toFixed(2)} of the p99 before`);
    expect(failures).toEqual([]);
    expect(ratio).toBeLessThan(IS_FULL ? RATIO_MAX : SHORT_RATIO_MAX);
    expect(receiver.connectionCount + sink.connectionCount).toBeGreaterThan(0);
  });

  it('are seen to be late when the mail server is told before the answer', async () => {
    const proxy = await startTellingProxy();
    const { ratio } = await compareRounds(() =>
      sampleDuring(proxy.port, server.questions, isYes, () => delay(ROUND_MS)),
    ).finally(() => proxy.close());
    const hasFailed = ratio > SHORT_RATIO_MAX;
    recordControl(19, {
      name: 'an answer that waits for the mail server',
      shown: `${ratio.toFixed(1)} times the p99`,
      hasFailed,
    });
    expect(hasFailed).toBe(true);
  });
});
