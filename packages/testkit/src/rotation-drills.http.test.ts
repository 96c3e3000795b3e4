import { randomBytes } from 'node:crypto';
import { type Deps, inTransaction } from '@keyreeve/server';
import { Webhook as ReferenceWebhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { rotatePepper } from '../../server/src/storage/pepper-rotation.ts';
import { type Company, call, seedCompany } from './company.ts';
import { createTestDatabase, type TestDatabase } from './databases.ts';
import { type Harness, startHarness } from './harness.ts';
import { recordControl, recordFigure } from './proof.ts';
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts';
import { createTestClock, type TestClock } from './test-clock.ts';
import { type ReceivedMessage, startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

const ROTATIONS = process.env['PROOF_FULL'] === '1' ? 20 : 2;
const CLIENTS = 3;
const ROUNDS_A_ROTATION = 2;
const MESSAGES_A_PHASE = process.env['PROOF_FULL'] === '1' ? 50 : 3;
const HOUR_MS = 3_600_000;
const MASTER_KEY = randomBytes(32);

const login = { user: 'keyreeve', password: 'the old password of the mail server' };
let shared: { readonly database: TestDatabase; readonly clock: TestClock; readonly masterKey: string };
let nodes: [Harness, Harness];
let company: Company;
let receiver: WebhookReceiver;
let sink: SmtpSink;

const smtpUrl = () => `smtp://keyreeve:${encodeURIComponent(login.password)}@127.0.0.1:${sink.port}`;
const startNode = () =>
  startHarness({
    ...shared,
    environment: {
      KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      KEYREEVE_WEBHOOK_PORTS: `443,${receiver.port}`,
      KEYREEVE_SMTP_URL: smtpUrl(),
      KEYREEVE_SMTP_ALLOW_PLAIN: '1',
    },
  });

beforeAll(async () => {
  receiver = await startWebhookReceiver();
  sink = await startSmtpSink({ login });
  shared = {
    database: await createTestDatabase({ isMigrated: true }),
    clock: createTestClock(),
    masterKey: MASTER_KEY.toString('base64'),
  };
  nodes = [await startNode(), await startNode()];
  company = await seedCompany(nodes[0]);
  // The keys of a drill are made to be told of, and to be shown again.
  const settings = await call(nodes[0], 'PATCH', '/v1/settings', {
    key: company.adminKey,
    headers: { 'if-match': '"0"' },
    body: { maxKeysPerAccount: 1_000 },
  });
  expect(settings.statusCode).toBe(200);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  for (const node of nodes) await stop(node);
  await receiver.close();
  await sink.close();
  await shared.database.drop();
});

async function stop({ app, deps }: Harness): Promise<void> {
  await app.close();
  await deps.close();
}

async function mint(at: Harness): Promise<{ readonly apiKey: string; readonly fullKey: string }> {
  const body = { comment: 'drill', access: 'account' };
  const path = `/v1/accounts/${company.robot.id}/keys`;
  const answer = await call(at, 'POST', path, { key: company.adminKey, body });
  if (answer.statusCode !== 201) throw new Error(`No key was made: ${answer.body}`);
  return answer.json();
}

const isAccepted = async (at: Harness, key: string): Promise<boolean> =>
  (await call(at, 'GET', '/v1/keys/self', { key })).statusCode === 200;

const nodeOf = (index: number): Harness => (index % 2 === 0 ? nodes[0] : nodes[1]);

/** Clients that make keys at one node and show them, and older ones, at the other, while `rotate` runs again and again. */
async function drillPepper(rotations: number, older: readonly string[]) {
  const outcome = { verifications: 0, refused: 0 };
  const runClient = async (client: number, rounds: number): Promise<void> => {
    for (let round = client; round < rounds + client; round += 1) {
      const { apiKey, fullKey } = await mint(nodeOf(round));
      for (const key of [fullKey, ...older]) {
        outcome.verifications += 1;
        if (!(await isAccepted(nodeOf(round + 1), key))) outcome.refused += 1;
      }
      await call(nodeOf(round), 'DELETE', `/v1/keys/${apiKey}`, { key: company.adminKey });
    }
  };
  for (let rotation = 0; rotation < rotations; rotation += 1) {
    const load = Promise.all(
      Array.from({ length: CLIENTS }, (_, client) => runClient(client, ROUNDS_A_ROTATION)),
    );
    await rotatePepper({ ...nodes[0].deps, masterKey: MASTER_KEY });
    // As its job does within half a minute; the other node learns from rows alone.
    await nodes[0].deps.keyring.refresh();
    await load;
  }
  return outcome;
}

describe('a new pepper under load', () => {
  it('fails no key of any pepper, at any node, and takes the old secret of a key with it', async () => {
    const first = await mint(nodes[0]);
    const { verifications, refused } = await drillPepper(ROTATIONS, [first.fullKey]);
    recordFigure(44, {
      name: 'failed verifications while the pepper was rotated',
      reached: `${refused} of ${verifications}, over ${ROTATIONS} rotations`,
      wanted: '0',
      isHeld: refused === 0 && verifications > 0,
    });
    const path = `/v1/keys/${first.apiKey}/regenerate`;
    const fresh = (await call(nodes[0], 'POST', path, { key: company.adminKey, body: {} })).json<{
      fullKey: string;
    }>();
    const accepted = [await isAccepted(nodes[0], first.fullKey), await isAccepted(nodes[1], first.fullKey)];
    const old = accepted.filter(Boolean).length;
    recordFigure(44, {
      name: 'uses of a secret under the old pepper after its key was regenerated',
      reached: old,
      wanted: '0 of 2 nodes',
      isHeld: old === 0,
    });
    expect({ refused, old }).toEqual({ refused: 0, old: 0 });
    expect(await isAccepted(nodes[1], fresh.fullKey)).toBe(true);
  });

  it('fails keys at a node that is kept from learning it: the drill would see it', async () => {
    vi.spyOn(nodes[1].deps.keyring, 'refresh').mockResolvedValue(false);
    const { verifications, refused } = await drillPepper(1, []);
    recordControl(44, {
      name: 'a node that never learns the new pepper',
      shown: `${refused} of ${verifications} verifications failed`,
      hasFailed: refused > 0,
    });
    expect(refused).toBeGreaterThan(0);
    vi.restoreAllMocks();
    await nodes[1].deps.keyring.refresh();
  });
});

function isFrom(message: ReceivedMessage, secret: string): boolean {
  vi.useFakeTimers({ now: shared.clock.now(), toFake: ['Date'] });
  try {
    new ReferenceWebhook(secret).verify(message.body, message.headers);
    return true;
  } catch {
    return false;
  } finally {
    vi.useRealTimers();
  }
}

/** Sends some events, and counts those that the receiver does not take for ours by this secret. */
async function countForeign(secret: string): Promise<number> {
  receiver.reset();
  for (let count = 0; count < MESSAGES_A_PHASE; count += 1) await emitKeyEvent(nodeOf(count).deps);
  await nodes[0].deps.fanOut.run();
  while ((await nodes[1].deps.webhookSender.sendDue()) > 0);
  if (receiver.messages.length !== MESSAGES_A_PHASE)
    throw new Error(`${receiver.messages.length} messages came instead of ${MESSAGES_A_PHASE}.`);
  return receiver.messages.filter((message) => !isFrom(message, secret)).length;
}

async function emitKeyEvent({ storage, events, defaultWorkspace }: Deps): Promise<void> {
  const account = { id: company.member.id, kind: 'user', displayName: '芽衣' };
  const key = { id: 'kr_0123456789ABCDEF', comment: 'CI', access: 'account', expiresAt: null, account };
  await inTransaction(storage, (tx) =>
    events.emit(tx, {
      workspaceId: defaultWorkspace.id,
      type: 'key.created',
      data: { key, actor: null, detail: {} },
    }),
  );
}

describe('a new secret of a webhook', () => {
  it('fails no message for receivers that change within the overlap, and the old one ends with it', async () => {
    const { webhooks, fanOut } = nodes[0].deps;
    // What came before has no webhook to go to.
    while ((await fanOut.run()) > 0);
    const created = await webhooks.create(company.adminCaller, {
      url: receiver.url,
      eventTypes: ['key.created'],
    });
    const { id } = created.webhook;
    const first = created.secret.reveal();
    const rotate = async (hours: number) =>
      (await webhooks.rotateSecret(company.adminCaller, id, hours)).secret.reveal();
    let failed = await countForeign(first);
    const second = await rotate(24);
    failed += await countForeign(first);
    failed += await countForeign(second);
    shared.clock.advance(24 * HOUR_MS);
    failed += await countForeign(second);
    const refusedOld = await countForeign(first);
    recordFigure(44, {
      name: 'messages refused by receivers while the webhook secret was rotated',
      reached: `${failed} of ${4 * MESSAGES_A_PHASE}`,
      wanted: '0',
      isHeld: failed === 0,
    });
    recordFigure(44, {
      name: 'messages signed by the old webhook secret after its overlap',
      reached: MESSAGES_A_PHASE - refusedOld,
      wanted: '0',
      isHeld: refusedOld === MESSAGES_A_PHASE,
    });
    await rotate(0);
    const withoutOverlap = await countForeign(second);
    recordControl(44, {
      name: 'a webhook secret that is rotated without an overlap',
      shown: `${withoutOverlap} of ${MESSAGES_A_PHASE} messages refused`,
      hasFailed: withoutOverlap > 0,
    });
    await webhooks.remove(company.adminCaller, id);
    expect({ failed, refusedOld }).toEqual({ failed: 0, refusedOld: MESSAGES_A_PHASE });
    expect(withoutOverlap).toBeGreaterThan(0);
  });
});

async function sendAll({ deps }: Harness): Promise<void> {
  while ((await deps.notices.sendDue()) > 0);
}

/** Mails that were not handed to the mail server yet. */
async function countWaiting(): Promise<number> {
  const rows = await nodes[0].deps.storage.read
    .selectFrom('outbox')
    .select('id')
    .where('state', '!=', 'sent')
    .execute();
  return rows.length;
}

describe('a new password of the mail server', () => {
  it('costs no mail and doubles none, whichever side changes first, and the old one is let in no more', async () => {
    await sendAll(nodes[0]);
    const before = sink.mails.length;
    for (let count = 0; count < MESSAGES_A_PHASE; count += 1) await mint(nodeOf(count));
    await sendAll(nodes[0]);
    login.password = 'the new password: ü/@%';
    for (let count = 0; count < MESSAGES_A_PHASE; count += 1) await mint(nodeOf(count));
    const sentBefore = sink.mails.length;
    await sendAll(nodes[0]);
    const byOldPassword = sink.mails.length - sentBefore;
    const waiting = await countWaiting();
    recordControl(44, {
      name: 'a node that keeps the old password of the mail server',
      shown: `${waiting} mails wait`,
      hasFailed: waiting > 0,
    });
    await stop(nodes[0]);
    nodes[0] = await startNode();
    const verified = await isAccepted(nodes[0], company.adminKey);
    shared.clock.advance(HOUR_MS);
    await sendAll(nodes[0]);
    const ids = sink.mails.slice(before).map(({ raw }) => /^Message-ID: (\S+)\r$/m.exec(raw)?.[1]);
    const lost = await countWaiting();
    const doubled = ids.length - new Set(ids).size;
    recordFigure(44, {
      name: 'mails lost or doubled while the SMTP password was rotated',
      reached: `${lost} lost, ${doubled} doubled of ${ids.length}`,
      wanted: '0',
      isHeld: lost + doubled === 0 && ids.length > 0,
    });
    recordFigure(44, {
      name: 'mails taken by the mail server with the old SMTP password',
      reached: byOldPassword,
      wanted: '0',
      isHeld: byOldPassword === 0,
    });
    expect({ lost, doubled, byOldPassword, verified }).toEqual({
      lost: 0,
      doubled: 0,
      byOldPassword: 0,
      verified: true,
    });
    expect(waiting).toBeGreaterThan(0);
  });
});
