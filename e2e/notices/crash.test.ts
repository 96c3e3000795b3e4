import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DAY_MS, inTransaction, systemCaller } from '@keyreeve/server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SmtpSink, startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import { lookAt, type WalkedKey } from './expected.ts';
import { openDeps, sendAll, sessionOf } from './open-deps.ts';
import { readMail } from './read-mail.ts';
import { createSeeded } from './seeded.ts';

const CRASHES = Number(process.env['NOTICE_CRASHES'] ?? '10');
const KEYS = CRASHES * 2;
const DAYS = 100;
const NOTICE_DAYS = [30, 10, 1];
const LIFETIMES = [1, 7, 30, 60, 90];
const START = Date.UTC(2027, 2, 1, 9, 0, 0);
const WALKER = path.join(import.meta.dirname, 'walker.ts');

let sink: SmtpSink;
let dataDir: string;

beforeAll(async () => {
  sink = await startSmtpSink();
  dataDir = mkdtempSync(path.join(tmpdir(), 'keyreeve-walk-'));
});
afterAll(async () => {
  await sink.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function makeKeys(): Promise<WalkedKey[]> {
  let now = START;
  const deps = await openDeps(dataDir, sink.url, () => now);
  const system = systemCaller(deps.defaultWorkspace, 'walk');
  const admin = await inTransaction(deps.storage, (tx) =>
    deps.accounts.createInside(tx, system, {
      kind: 'user',
      email: 'ada@example.com',
      displayName: 'Ada',
      role: 'admin',
    }),
  );
  const caller = await sessionOf(deps, admin);
  const settings = { lifetimeChoicesDays: LIFETIMES, defaultLifetimeDays: 90, expiryNoticeDays: NOTICE_DAYS };
  await deps.settings.update(caller, { ...settings, maxKeysPerAccount: 10_000 }, null);
  const keys: WalkedKey[] = [];
  for (let index = 0; index < KEYS; index += 1) {
    const { key } = await deps.keys.create(caller, admin.id, {
      comment: `Key ${index}`,
      access: 'account',
      lifetimeDays: LIFETIMES[index % LIFETIMES.length] ?? 1,
    });
    const expiresAt = key.current.expiresAt ?? 0;
    const life = { startedAt: key.createdAt, expiresAt };
    keys.push({ id: key.id, ...life, isEnabled: true, isGone: false, told: new Set() });
  }
  // The mails about the making are not what is counted here.
  await sendAll(deps, (ms) => {
    now += ms;
  });
  await deps.close();
  return keys;
}

/** Kills the walker as soon as the sink has got so many mails more: it may or may not know of the last. */
async function killAtMail(child: ChildProcess, count: number): Promise<void> {
  const goal = sink.mails.length + count;
  while (child.exitCode === null && child.signalCode === null) {
    if (sink.mails.length >= goal) {
      child.kill('SIGKILL');
      return;
    }
    await nextTurn();
  }
}

/** Walks from a day on until the crash, or to the end; the last day that was over, and whether it crashed. */
async function walkFrom(day: number, crash: { at: 'place' | 'mail'; count: number } | null) {
  const dieAt = crash?.at === 'place' ? String(crash.count) : '0';
  const args = [dataDir, sink.url, String(day), String(DAYS), String(START), dieAt];
  const child = fork(WALKER, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  let lastDay = day - 1;
  child.on('message', (over) => {
    lastDay = Number(over);
  });
  const isOver = once(child, 'close');
  if (crash?.at === 'mail') await killAtMail(child, crash.count);
  const [code, signal] = (await isOver) as [number | null, string | null];
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`The walker ended with ${code ?? signal}.`);
  return { lastDay, isCrash: signal === 'SIGKILL' };
}

it(`a server that is killed ${CRASHES} times loses no notice, and repeats one under its own Message-ID alone`, async () => {
  const keys = await makeKeys();
  const before = sink.mails.length;
  const random = createSeeded(4_711);
  let day = 1;
  let crashes = 0;
  while (day <= DAYS) {
    const at = random.below(3) === 0 ? 'mail' : 'place';
    const crash =
      crashes < CRASHES ? ({ at, count: 1 + random.below(at === 'mail' ? 6 : 18) } as const) : null;
    const walked = await walkFrom(day, crash);
    if (walked.isCrash) crashes += 1;
    day = walked.lastDay + 1;
    if (!walked.isCrash) break;
  }
  expect(crashes, 'the keys are too few for so many crashes').toBe(CRASHES);
  const dayOf = (ms: number) => Math.floor((ms - START) / DAY_MS);
  const expected: string[] = [];
  for (let on = 1; on <= DAYS; on += 1) {
    for (const key of keys) {
      const kind = lookAt(key, NOTICE_DAYS, START + on * DAY_MS);
      if (kind !== null) expected.push(`${key.id} ${kind} ${on}`);
    }
  }
  const sent = new Map<string, Set<string>>();
  for (const mail of sink.mails.slice(before)) {
    const { keyId, kind, sentAt, messageId } = readMail(mail.raw);
    const name = `${keyId} ${kind} ${dayOf(sentAt)}`;
    sent.set(name, (sent.get(name) ?? new Set()).add(messageId));
  }
  expect([...sent.keys()].toSorted()).toEqual(expected.toSorted());
  // What came twice came under one name; a second name would be a second notice.
  expect([...sent].filter(([, ids]) => ids.size > 1)).toEqual([]);
});
