import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordControl, recordFigure } from '../../packages/testkit/src/proof.ts';
import { signIn } from '../console.ts';
import { createSeeded } from '../notices/seeded.ts';
import { openWorkplace, type ServerProcess, sleep, WITH_ADMIN } from '../server-process.ts';
import { inspectDatabase, verifyAuditLog } from './inspect-database.ts';
import { findLost, type Ledger, openLedger, writeKeys } from './ledger.ts';
import { findPackageFaults, openPackages, type Packages, pushPackage } from './pushes.ts';
import { sabotagedBy } from './sabotage.ts';
import { attachStrace } from './strace.ts';

const POINTS = process.env['PROOF_FULL'] === '1' ? 100 : 4;
/** In the short form one crash follows all faults, in the long form each fault has its own. */
const POINTS_PER_CRASH = process.env['PROOF_FULL'] === '1' ? 1 : 4;
const WRITERS = 3;
const TRIES_MAX = 3 * POINTS;
const LOAD_MS = 350;
const PUSH_EVERY_MS = 30;
const SEED = Number(process.env['PROOF_SEED'] ?? '20261127');

/** A fault of the disk, from the so-manieth call of its kind on. */
interface Fault {
  readonly name: string;
  readonly call: string;
  readonly error: string;
  /** The first call that fails is drawn from 1 to this. */
  readonly firstMax: number;
  /** So many calls in a row fail. */
  readonly length: number;
  /** Only at the files of the databases: sockets and pipes take the same calls. */
  readonly atDatabase: boolean;
}

const FAULTS: readonly Fault[] = [
  { name: 'fsync EIO', call: 'fsync', error: 'EIO', firstMax: 12, length: 3, atDatabase: true },
  { name: 'pwrite64 ENOSPC', call: 'pwrite64', error: 'ENOSPC', firstMax: 60, length: 10, atDatabase: true },
  { name: 'pread64 EIO', call: 'pread64', error: 'EIO', firstMax: 3, length: 2, atDatabase: true },
  { name: 'openat EMFILE', call: 'openat', error: 'EMFILE', firstMax: 4, length: 3, atDatabase: false },
];

/** Every commit of an answer fails while they last: a careless server cannot get around them. */
const CONTROL_FAULTS: readonly Fault[] = [
  { name: 'fsync EIO', call: 'fsync', error: 'EIO', firstMax: 1, length: 60_000, atDatabase: true },
  {
    name: 'pwrite64 ENOSPC',
    call: 'pwrite64',
    error: 'ENOSPC',
    firstMax: 1,
    length: 60_000,
    atDatabase: true,
  },
];

const place = openWorkplace();
afterAll(() => place.close());

const ENVIRONMENT = { ...WITH_ADMIN, KEYREEVE_LOG_LEVEL: 'fatal' };
const DATA = 'faults';
let session = { cookie: '', accountId: '' };
let pushKey = '';

beforeAll(async () => {
  const server = await place.start({ data: DATA, env: ENVIRONMENT });
  const { cookie, accountId, api } = await signIn(server.url);
  session = { cookie, accountId };
  const { response } = await api.GET('/v1/settings');
  const headers = { 'If-Match': response.headers.get('etag') ?? '' };
  await api.PATCH('/v1/settings', { headers, body: { maxKeysPerAccount: 10_000 } });
  const body = { comment: 'push', access: 'account' } as const;
  pushKey = (await api.POST('/v1/accounts/{id}/keys', { params: { path: { id: accountId } }, body })).data
    .fullKey;
  // Not by a kill: what Node has compiled is written at the end, and makes later starts cheaper.
  await server.stop();
});

interface Load {
  readonly ledger: Ledger;
  readonly packages: Packages;
}

/** Writes of all kinds while calls fail; how many calls did. */
async function writeThrough(server: ServerProcess, load: Load, fault: Fault, first: number): Promise<number> {
  let isOver = false;
  const options = { isOver: () => isOver, countsLast: true, onRefused: () => sleep(1) };
  const desk = { ...session, url: server.url };
  const files = ['keyreeve.db', 'keyreeve.db-wal', 'usage.db', 'usage.db-wal'];
  const tracer = await attachStrace(
    server.pid,
    [
      `trace=${fault.call}`,
      `inject=${fault.call}:error=${fault.error}:when=${first}..${first + fault.length - 1}`,
    ],
    fault.atDatabase ? files.map((file) => path.join(server.dataDir, file)) : [],
  );
  const work = [
    ...Array.from({ length: WRITERS }, () => writeKeys(desk, load.ledger, options)),
    push(server, load.packages, () => isOver),
  ];
  await sleep(LOAD_MS);
  const lines = await tracer.stop();
  // The disk is well again, and what is acknowledged now counts as well.
  await sleep(LOAD_MS / 4);
  isOver = true;
  await Promise.all(work);
  return lines.filter((line) => line.includes('(INJECTED)')).length;
}

async function push(server: ServerProcess, packages: Packages, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const answer = await pushPackage(server.url, pushKey, packages);
    await answer?.arrayBuffer();
    await sleep(PUSH_EVERY_MS);
  }
}

interface Outcome {
  points: number;
  injected: number;
  acknowledged: number;
  refused: number;
  ended: number;
  /** Acknowledged, and not so after the crash. */
  readonly lost: string[];
  readonly faults: string[];
  readonly strangeStatuses: Set<number>;
}

async function failOften(
  faults: readonly Fault[],
  count: number,
  perCrash: number,
  extra: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const random = createSeeded(SEED);
  const outcome: Outcome = {
    points: 0,
    injected: 0,
    acknowledged: 0,
    refused: 0,
    ended: 0,
    lost: [],
    faults: [],
    strangeStatuses: new Set(),
  };
  let tries = 0;
  let server = await place.start({ data: DATA, env: { ...ENVIRONMENT, ...extra } });
  while (outcome.points < count) {
    if (tries >= TRIES_MAX) throw new Error(`Only ${outcome.points} of ${tries} faults met a call.`);
    const load: Load = { ledger: openLedger(), packages: openPackages() };
    for (let turn = 0; turn < perCrash && outcome.points < count; tries += 1) {
      const fault = faults[tries % faults.length] as Fault;
      const injected = await writeThrough(server, load, fault, 1 + random.below(fault.firstMax));
      outcome.injected += injected;
      if (injected === 0) continue;
      outcome.points += 1;
      turn += 1;
    }
    if (hasEnded(server)) outcome.ended += 1;
    await server.kill();
    server = await place.start({ data: DATA, env: ENVIRONMENT });
    await judge(server, load, outcome);
  }
  await server.kill();
  return outcome;
}

function hasEnded(server: ServerProcess): boolean {
  try {
    process.kill(server.pid, 0);
    return false;
  } catch {
    return true;
  }
}

async function judge(server: ServerProcess, { ledger, packages }: Load, outcome: Outcome): Promise<void> {
  outcome.lost.push(...(await findLost(server.url, ledger)));
  outcome.lost.push(...(await findPackageFaults(server.url, packages)));
  outcome.acknowledged += ledger.changes + packages.stored.size;
  outcome.faults.push(...inspectDatabase(server.dataDir), ...(await verifyAuditLog(server.dataDir)));
  for (const [status, count] of [...ledger.refusals, ...packages.statuses]) {
    if (status === 201) continue;
    outcome.refused += count;
    if (status < 500) outcome.strangeStatuses.add(status);
  }
}

describe('a disk whose calls fail', () => {
  it(`at ${POINTS} points makes the server acknowledge nothing that is not stored, and damages no file`, async () => {
    const outcome = await failOften(FAULTS, POINTS, POINTS_PER_CRASH);
    const { points, injected, acknowledged, refused, lost, faults, ended, strangeStatuses } = outcome;
    recordFigure(7, {
      name: 'false acknowledgements',
      reached: `${lost.length} of ${acknowledged} (${injected} failed calls at ${points} points, ${refused} changes refused)`,
      wanted: '0 at 100 points (short form: 4)',
      isHeld: lost.length === 0 && acknowledged > points,
      seed: SEED,
    });
    recordFigure(7, {
      name: 'damaged databases and torn changes',
      reached: faults.length,
      wanted: '0',
      isHeld: faults.length === 0,
    });
    recordFigure(7, {
      name: 'servers that ended',
      reached: ended,
      wanted: '0',
      isHeld: ended === 0,
    });
    expect(lost).toEqual([]);
    expect(faults).toEqual([]);
    expect(ended).toBe(0);
    expect([...strangeStatuses]).toEqual([]);
  });

  it('makes the control, a server that takes a failed commit for one that was made, acknowledge what is not stored', async () => {
    const careless = sabotagedBy('swallowed-commit.mjs');
    const count = CONTROL_FAULTS.length;
    const { points, acknowledged, lost } = await failOften(CONTROL_FAULTS, count, count, careless);
    recordControl(7, {
      name: 'a server that takes failed commits for made ones',
      shown: `${lost.length} of ${acknowledged} acknowledged and not stored, at ${points} points`,
      hasFailed: lost.length > 0,
    });
    expect(lost).not.toEqual([]);
  });
});
