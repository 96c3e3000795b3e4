import { DAY_MS, HOUR_MS, inTransaction } from '@keyreeve/server';
import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SmtpSink, startSmtpSink } from '../../packages/testkit/src/smtp-sink.ts';
import { lookAt, type WalkedKey } from './expected.ts';
import { readMail } from './read-mail.ts';
import { createSeeded } from './seeded.ts';

const KEYS = Number(process.env['NOTICE_KEYS'] ?? '80');
const DAYS = 730;
const NOTICE_DAYS = [30, 10, 1];
const LIFETIMES = [1, 2, 7, 14, 30, 90, 180, 365];
const ACCOUNTS = 20;

let harness: Harness;
let sink: SmtpSink;

beforeAll(async () => {
  sink = await startSmtpSink();
  harness = await startHarness({
    environment: {
      KEYREEVE_SMTP_URL: sink.url,
      KEYREEVE_SMTP_ALLOW_PLAIN: '1',
      KEYREEVE_BULK_MAILS_PER_MINUTE: '100000',
    },
  });
});
afterAll(async () => {
  await harness.close();
  await sink.close();
});

/** Makes an administrator, owners in both languages, and the keys, each at a time of its own on the first day. */
async function settle(random: ReturnType<typeof createSeeded>) {
  const { deps, clock } = harness;
  const admin = await harness.createAccount({
    kind: 'user',
    email: 'ada@example.com',
    displayName: 'Ada',
    role: 'admin',
  });
  const caller = await harness.callerOf(admin);
  await deps.settings.update(
    caller,
    { lifetimeChoicesDays: LIFETIMES, expiryNoticeDays: NOTICE_DAYS, maxKeysPerAccount: 10_000 },
    null,
  );
  const owners = [];
  for (let index = 0; index < ACCOUNTS; index += 1) {
    const email = `owner.${index}@example.com`;
    const locale = index % 2 === 0 ? 'en' : 'ja';
    owners.push(await harness.createAccount({ kind: 'user', email, displayName: `Owner ${index}`, locale }));
  }
  const keys: WalkedKey[] = [];
  const start = clock.now();
  for (let index = 0; index < KEYS; index += 1) {
    clock.set(start + Math.floor((index / KEYS) * DAY_MS));
    const { key } = await deps.keys.create(caller, owners[index % ACCOUNTS]?.id ?? '', {
      comment: `Key ${index}`,
      access: 'account',
      lifetimeDays: LIFETIMES[random.below(LIFETIMES.length)] ?? 1,
    });
    keys.push({
      id: key.id,
      startedAt: key.createdAt,
      expiresAt: key.current.expiresAt ?? 0,
      isEnabled: true,
      isGone: false,
      told: new Set(),
    });
  }
  return { caller, keys, start };
}

/** What a day brings: some keys are renewed, edited, switched, or deleted. */
async function live(
  caller: Awaited<ReturnType<Harness['callerOf']>>,
  keys: readonly WalkedKey[],
  random: ReturnType<typeof createSeeded>,
): Promise<void> {
  const { deps, clock } = harness;
  for (const key of keys) {
    if (key.isGone) continue;
    const chance = random.next();
    // Somebody renews it most likely when its end is near, and seldom long after.
    const leftMs = key.expiresAt - clock.now();
    const renewal = leftMs < 0 ? 0.003 : leftMs < 15 * DAY_MS ? 0.05 : 0.0005;
    if (chance < renewal) {
      const minted = await deps.keys.regenerate(caller, key.id, { overlapHours: 0 });
      key.startedAt = clock.now();
      key.expiresAt = minted.key.current.expiresAt ?? 0;
      key.told = new Set();
    } else if (chance > 0.9999) {
      await deps.keys.remove(caller, key.id);
      key.isGone = true;
    } else if (chance > 0.9995) {
      await deps.keys.update(caller, key.id, { comment: `Edited at ${clock.now()}` }, null);
    } else if (chance > 0.9985) {
      if (key.isEnabled) await deps.keys.disable(caller, key.id, null);
      else await deps.keys.enable(caller, key.id);
      key.isEnabled = !key.isEnabled;
    }
  }
}

/** Only the mails of expiries count here; the others are thrown away unsent. */
async function dropOtherMails(): Promise<void> {
  await inTransaction(harness.deps.storage, async (tx) => {
    await tx
      .deleteFrom('outbox')
      .where('state', '=', 'pending')
      .where('kind', 'not in', ['key.expiring', 'key.expired'])
      .execute();
  });
}

async function sendAll(): Promise<void> {
  while ((await harness.deps.notices.sendDue()) > 0);
}

it(`over two years of ${KEYS} keys that are renewed, edited, switched and deleted, exactly the expected mails go out`, async () => {
  const random = createSeeded(20_270_301);
  const { caller, keys, start } = await settle(random);
  const expected: string[] = [];
  for (let day = 1; day <= DAYS; day += 1) {
    harness.clock.set(start + day * DAY_MS);
    await live(caller, keys, random);
    await dropOtherMails();
    // Some days nobody is there, and some days the clock goes back for an hour and is put right.
    const isDown = random.next() < 0.03;
    if (!isDown) {
      for (const key of keys) {
        const kind = lookAt(key, NOTICE_DAYS, harness.clock.now());
        if (kind !== null) expected.push(`${key.id} ${kind} ${day}`);
      }
      await harness.deps.expirySweep.run();
      if (random.next() < 0.05) {
        harness.clock.advance(-HOUR_MS);
        await harness.deps.expirySweep.run();
        harness.clock.advance(HOUR_MS);
      }
      await harness.deps.expirySweep.run();
      await sendAll();
    }
  }
  const sent = sink.mails.map((mail) => {
    const { keyId, kind, sentAt } = readMail(mail.raw);
    return `${keyId} ${kind} ${Math.round((sentAt - start) / DAY_MS)}`;
  });
  expect(expected.length).toBeGreaterThan(KEYS);
  expect(sent.toSorted()).toEqual(expected.toSorted());
  expect(new Set(sink.mails.map((mail) => readMail(mail.raw).messageId)).size).toBe(sink.mails.length);
  const states = await harness.deps.storage.read.selectFrom('outbox').select('state').distinct().execute();
  expect(states).toEqual([{ state: 'sent' }]);
});
