import { setTimeout as delay } from 'node:timers/promises';
import { mintKey } from '../console.ts';
import type { Cluster } from './cluster.ts';
import { type PostgresServer, startStandby } from './postgres.ts';
import type { ProgramFolder } from './programs.ts';
import { type Answer, asJson, openAgent, send } from './wire.ts';

/** What became of a primary that was killed under load, with a standby promoted in its place. */
export interface FailoverReport {
  readonly acknowledged: number;
  /** Names of what was acknowledged and is not there on the new primary. */
  readonly lost: readonly string[];
  /** Names of what is there more than once, or has more than one row in the audit log. */
  readonly doubled: readonly string[];
  /** From the kill until the standby took writes: what no server of ours can shorten, in ms. */
  readonly promotedMs: number;
  /** From the kill to the first write that was acknowledged afterwards, for each node, in ms. */
  readonly writeOutagesMs: readonly number[];
  /** After the kill, for each node: the longest time without a good key being verified, in ms. */
  readonly verifyOutagesMs: readonly number[];
  /** Answers "valid" to a key whose revocation was acknowledged before them. */
  readonly staleAnswers: number;
  readonly statuses: Readonly<Record<string, number>>;
}

export interface FailoverOptions {
  readonly primary: PostgresServer;
  readonly standby: PostgresServer;
  readonly cluster: Cluster;
  readonly loadMs: number;
  /** So long the standby gets nothing before the primary is killed, as over a line that stalls. */
  readonly stallMs: number;
}

const WRITERS_PER_NODE = 2;
const ACKNOWLEDGED_BEFORE_MIN = 50;
const WRITES_AFTER_PER_NODE = 5;
const REPLICATION_TIMEOUT_MS = 10_000;
const RECOVERY_TIMEOUT_MS = 45_000;
const POLL_MS = 10;
const REVOKE_PACE_MS_MIN = 100;
/** Keys that are deleted before the primary is killed; an account has 50 at most. */
const DOOMED_BEFORE_MAX = 25;
/** Keys that are left to be deleted while the primary is away and after that. */
const DOOMED_AFTER = 10;
const LEASE_MS = 2_000;
/** Of an API key, which a full key begins with. */
const ID_LENGTH = 19;

export interface StandbyOptions {
  readonly folder: ProgramFolder;
  readonly port: number;
  /** No commit is acknowledged from then on that the standby does not have. */
  readonly isSynchronous: boolean;
}

/** A standby that follows the primary. */
export async function attachStandby(
  primary: PostgresServer,
  { folder, port, isSynchronous }: StandbyOptions,
): Promise<PostgresServer> {
  const standby = await startStandby(primary, folder, port);
  if (isSynchronous) {
    // Only now: without a standby the first commit would wait for one for ever.
    await primary.query("alter system set synchronous_standby_names = 'standby'");
    await primary.query('select pg_reload_conf()');
  }
  const wanted = isSynchronous ? 'sync' : 'async';
  await waitFor(`the standby follows (${wanted})`, REPLICATION_TIMEOUT_MS, async () => {
    const rows = await primary.query<{ sync_state: string }>('select sync_state from pg_stat_replication');
    return rows.some(({ sync_state }) => sync_state === wanted);
  });
  return standby;
}

/** The address of whichever of them is the primary. */
export function toFailoverUrl(ports: readonly number[]): string {
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return `postgres://keyreeve@${hosts}/keyreeve?target_session_attrs=read-write`;
}

async function waitFor(
  what: string,
  timeoutMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms still not: ${what}.`);
    await delay(POLL_MS);
  }
}

/** Everything that the load has seen. */
interface Log {
  readonly acknowledged: { readonly name: string; readonly node: number; readonly atMs: number }[];
  readonly verifications: {
    readonly node: number;
    readonly answeredAtMs: number;
    readonly isValid: boolean;
  }[];
  /** Full keys whose deletion was acknowledged. */
  readonly revoked: string[];
  readonly statuses: Map<string, number>;
  staleAnswers: number;
  isOver: boolean;
}

/** Kills the primary under load, promotes the standby, and compares what is there with what was acknowledged. */
export async function killUnderLoad({
  primary,
  standby,
  cluster,
  loadMs,
  stallMs,
}: FailoverOptions): Promise<FailoverReport> {
  const log: Log = {
    acknowledged: [],
    verifications: [],
    revoked: [],
    statuses: new Map(),
    staleAnswers: 0,
    isOver: false,
  };
  const revokePaceMs = Math.max(REVOKE_PACE_MS_MIN, (loadMs + stallMs) / DOOMED_BEFORE_MAX);
  const doomedCount = Math.ceil((loadMs + stallMs) / revokePaceMs) + DOOMED_AFTER;
  const load = await startLoad(cluster, log, { doomedCount, revokePaceMs });
  await delay(loadMs);
  // However long that takes on a busy machine: what nobody was told cannot be lost.
  const isWorthIt = () => log.acknowledged.length > ACKNOWLEDGED_BEFORE_MIN;
  await waitFor('enough was acknowledged', RECOVERY_TIMEOUT_MS, isWorthIt);
  // Its sender, not the receiver: what has come to the standby's machine it would still read.
  const senders = await primary.query<{ pid: number }>('select pid from pg_stat_replication');
  for (const { pid } of senders) process.kill(pid, 'SIGSTOP');
  await delay(stallMs);
  const killedAtMs = performance.now();
  await primary.kill();
  await standby.promote();
  const promotedMs = Math.round(performance.now() - killedAtMs);
  const after = (node: number) =>
    log.acknowledged.filter((one) => one.node === node && one.atMs > killedAtMs);
  const isRecovered = () => cluster.urls.every((_, node) => after(node).length >= WRITES_AFTER_PER_NODE);
  try {
    await waitFor('every node writes again', RECOVERY_TIMEOUT_MS, isRecovered);
  } finally {
    log.isOver = true;
    await load.ended;
  }
  return {
    ...(await compare(standby, log)),
    promotedMs,
    writeOutagesMs: cluster.urls.map((_, node) =>
      Math.round((after(node)[0]?.atMs ?? Number.NaN) - killedAtMs),
    ),
    verifyOutagesMs: cluster.urls.map((_, node) => measureVerifyOutage(log, node, killedAtMs)),
    staleAnswers: log.staleAnswers,
    statuses: Object.fromEntries([...log.statuses].toSorted(([a], [b]) => a.localeCompare(b))),
  };
}

/** The longest time after the kill without a verification that was answered "valid". */
function measureVerifyOutage(log: Log, node: number, killedAtMs: number): number {
  const valid = log.verifications
    .filter((one) => one.node === node && one.isValid)
    .map((one) => one.answeredAtMs);
  const gaps = valid.map((at, index) =>
    at < killedAtMs ? 0 : at - Math.max(killedAtMs, valid[index - 1] ?? 0),
  );
  return Math.round(Math.max(0, ...gaps));
}

async function compare(
  database: PostgresServer,
  log: Log,
): Promise<Pick<FailoverReport, 'acknowledged' | 'lost' | 'doubled'>> {
  const accounts = await database.query<{ name: string; rows: number; audits: number }>(
    `select a.technical_name as name, count(distinct a.id)::int as rows, count(e.seq)::int as audits
       from accounts a left join audit e on e.target_id = a.id and e.action = 'account.created'
      where a.technical_name like 'written-%' group by a.technical_name`,
  );
  const keys = await database.query<{ id: string }>('select id from api_keys');
  const names = new Set(accounts.map(({ name }) => name));
  const ids = new Set(keys.map(({ id }) => id));
  const lostWrites = log.acknowledged.map(({ name }) => name).filter((name) => !names.has(name));
  // A deletion is lost when the key is back.
  const lostDeletions = log.revoked.map((fullKey) => fullKey.slice(0, ID_LENGTH)).filter((id) => ids.has(id));
  return {
    acknowledged: log.acknowledged.length + log.revoked.length,
    lost: [...lostWrites, ...lostDeletions],
    doubled: accounts.filter(({ rows, audits }) => rows > 1 || audits > 1).map(({ name }) => name),
  };
}

/** Writers, a revoker and a verifier at each node, until the log is over. */
async function startLoad(
  { admin, urls }: Cluster,
  log: Log,
  { doomedCount, revokePaceMs }: { readonly doomedCount: number; readonly revokePaceMs: number },
): Promise<{ readonly ended: Promise<unknown> }> {
  const agent = openAgent(64);
  const scopes = [{ actions: ['iam:keys:verify'], resources: ['*'] }];
  const asker = await mintKey(admin, admin.accountId, { comment: 'asks', access: 'scoped', scopes });
  const living = await mintKey(admin, admin.accountId, { comment: 'lives', access: 'account' });
  const doomed: string[] = [];
  for (let index = 0; index < doomedCount; index += 1)
    doomed.push((await mintKey(admin, admin.accountId, { comment: 'dies', access: 'account' })).fullKey);
  const ask = { agent, log, cookie: admin.cookie, asker: asker.fullKey };
  const loops = urls.flatMap((url, node) => [
    ...Array.from({ length: WRITERS_PER_NODE }, (_, writer) => write(ask, url, node, `${node}-${writer}`)),
    verify(ask, url, node, living.fullKey),
  ]);
  loops.push(revoke(ask, urls, doomed, revokePaceMs));
  return { ended: Promise.all(loops).finally(() => agent.destroy()) };
}

interface Asking {
  readonly agent: ReturnType<typeof openAgent>;
  readonly log: Log;
  readonly cookie: string;
  readonly asker: string;
}

/** An answer counts under its status, with the code of a refusal; the lack of one too. */
async function attempt(
  { agent, log }: Asking,
  url: string,
  call: Parameters<typeof send>[2],
): Promise<Answer | null> {
  const answer = await send(agent, url, call).catch(() => null);
  const said = answer === null ? 'no answer' : `${answer.status} ${readProblemCode(answer)}`.trimEnd();
  const word = `${call.path.split('/')[2]} ${said}`;
  log.statuses.set(word, (log.statuses.get(word) ?? 0) + 1);
  return answer;
}

function readProblemCode({ status, body }: Answer): string {
  return status < 400 ? '' : (JSON.parse(body) as { code: string }).code;
}

/**
 * One caller that creates accounts, each until it is acknowledged: a name that is taken is one whose answer was lost, and
 * counts as acknowledged too.
 */
async function write(ask: Asking, url: string, node: number, writer: string): Promise<void> {
  for (let index = 0; !ask.log.isOver; ) {
    const name = `written-${writer}-${index}`;
    const { headers, body = '' } = asJson({ technicalName: name, displayName: name });
    const answer = await attempt(ask, url, {
      method: 'POST',
      path: '/v1/service-accounts',
      headers: { ...headers, cookie: ask.cookie },
      body,
    });
    if (answer?.status === 201 || answer?.status === 409) {
      ask.log.acknowledged.push({ name, node, atMs: answer.answeredAtMs });
      index += 1;
    } else await delay(POLL_MS);
  }
}

async function verify(ask: Asking, url: string, node: number, fullKey: string): Promise<void> {
  while (!ask.log.isOver) {
    const isGood = await isValid(ask, url, fullKey);
    ask.log.verifications.push({ node, answeredAtMs: performance.now(), isValid: isGood });
    await delay(POLL_MS);
  }
}

async function isValid(ask: Asking, url: string, fullKey: string): Promise<boolean> {
  const { headers, body = '' } = asJson({ key: fullKey });
  const answer = await attempt(ask, url, {
    method: 'POST',
    path: '/v1/keys/verify',
    headers: { ...headers, authorization: `Bearer ${ask.asker}` },
    body,
  });
  return answer?.status === 200 && (JSON.parse(answer.body) as { valid: boolean }).valid;
}

/** Deletes one key after the other at the nodes in turn, and asks the next node whether it still takes it. */
async function revoke(
  ask: Asking,
  urls: readonly string[],
  doomed: readonly string[],
  paceMs: number,
): Promise<void> {
  const checks: Promise<void>[] = [];
  for (const [index, fullKey] of doomed.entries()) {
    if (await deleteKey(ask, urls[index % urls.length] ?? '', fullKey))
      checks.push(checkRefused(ask, urls[(index + 1) % urls.length] ?? '', fullKey));
    await delay(paceMs);
  }
  await Promise.all(checks);
}

/** Until it is acknowledged, by "it is gone" at the latest. False when the test is over before that. */
async function deleteKey(ask: Asking, url: string, fullKey: string): Promise<boolean> {
  const call = {
    method: 'DELETE',
    path: `/v1/keys/${fullKey.slice(0, ID_LENGTH)}`,
    headers: { cookie: ask.cookie },
  };
  while (!ask.log.isOver) {
    const answer = await attempt(ask, url, call);
    if (answer?.status === 204 || answer?.status === 404) {
      ask.log.revoked.push(fullKey);
      return true;
    }
    await delay(POLL_MS);
  }
  return false;
}

async function checkRefused(ask: Asking, url: string, fullKey: string): Promise<void> {
  await delay(LEASE_MS);
  if (await isValid(ask, url, fullKey)) ask.log.staleAnswers += 1;
}
