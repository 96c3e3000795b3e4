import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Pace, rotate } from '../harness/contest.ts';
import { readCpuSeconds, readResidentMib } from '../harness/process-figures.ts';
import type { SeedPlan } from '../seed-rows.ts';
import { mintCaller, openSite, type Site } from '../subjects/keyreeve.ts';
import { type LinesLoad, type Load, type Measured, measureLines, measureLoads } from '../wrk.ts';
import { everyKey, openSeeded, type Seeded, takeWorking } from './seeded.ts';

/** What one verification costs among so many keys; one connection for times, 32 for rates. */
export interface Cost {
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
  readonly requestsPerSecond: number;
  readonly cpuSecondsPer100k: number;
}

export interface ScaleAt {
  readonly keys: number;
  readonly megabytesOnDisk: number;
  readonly seedSeconds: number;
  /** The same thousand keys again and again. */
  readonly hot: Cost;
  /** Keys drawn from all of them, each asked about once as long as there are enough. */
  readonly random: Cost;
  /** From the start of the process to the first 200 of `/readyz`, each time a new process. */
  readonly readyMs: readonly number[];
  readonly memory: {
    readonly idleMib: number;
    readonly verifications: number;
    readonly afterMib: number;
    readonly peakMib: number;
  };
}

const HOT_KEYS = 1_000;
/** More than one connection gets answered in one round. */
const RANDOM_KEYS_A_SECOND = 20_000;
const CROWD_KEYS_A_SECOND = 60_000;
const STARTS = 5;
const SWEEP_SECONDS = 5;
const VERIFICATIONS_MAX = 1_000_000;
const SETTLE_MS = 2_000;

const PATH = '/v1/keys/verify';

interface Town {
  readonly seeded: Seeded & { readonly close: () => void };
  readonly site: Site;
  readonly readyMs: number[];
  readonly headers: Readonly<Record<string, string>>;
  readonly hot: readonly Load[];
  /** The position of the next key that nobody asked about yet. */
  next: number;
}

/** Measures verification among each number of keys, in turn. */
export async function measureScale(
  sizes: readonly number[],
  pace: Pace,
  cache: string | undefined,
): Promise<ScaleAt[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-keys-'));
  const towns: Town[] = [];
  try {
    for (const size of sizes) towns.push(await openTown(size, cache));
    const costs = await measureCosts(towns, pace, path.join(folder, 'keys'));
    const results: ScaleAt[] = [];
    for (const [index, town] of towns.entries()) {
      const { seeded, readyMs } = town;
      const cost = costs[index];
      if (cost === undefined) throw new Error('unreachable: each town has its cost');
      await town.site.server.stop();
      results.push({
        keys: seeded.plan.keys,
        megabytesOnDisk: seeded.bytesOnDisk / 1_000_000,
        seedSeconds: seeded.seconds,
        ...cost,
        readyMs,
        memory: await measureMemory(seeded, path.join(folder, 'keys')),
      });
    }
    return results;
  } finally {
    for (const { site, seeded } of towns) {
      await site.server.stop();
      seeded.close();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openTown(size: number, cache: string | undefined): Promise<Town> {
  process.stderr.write(`${size} keys\n`);
  const seeded = await openSeeded(size, cache);
  const readyMs: number[] = [];
  // The first start of a folder is not one of those that count: it may have to migrate.
  await (await openSite(seeded.environment)).server.stop();
  for (let start = 0; start < STARTS - 1; start += 1) {
    const { server } = await openSite(seeded.environment);
    readyMs.push(server.readyMs);
    await server.stop();
  }
  const site = await openSite(seeded.environment);
  readyMs.push(site.server.readyMs);
  const headers = {
    authorization: `Bearer ${await mintCaller(site)}`,
    'content-type': 'application/json',
  };
  const { keys, next } = takeWorking(seeded.plan, HOT_KEYS, 0);
  const hot = keys.map(
    ({ fullKey }): Load => ({ method: 'POST', path: PATH, headers, body: JSON.stringify({ key: fullKey }) }),
  );
  await expectValid(site, hot);
  return { seeded, site, readyMs, headers, hot, next };
}

async function expectValid({ server }: Site, loads: readonly Load[]): Promise<void> {
  for (const { method, path: target, headers, body = '' } of loads) {
    const response = await fetch(`${server.url}${target}`, { method, headers, body });
    const { valid } = (await response.json()) as { valid: boolean };
    if (!valid) throw new Error('A seeded key that works was refused.');
  }
}

/** Keys that nobody asked about yet, one a line, as long as there are enough of them. */
function drawKeys(town: Town, count: number, file: string): LinesLoad {
  const { keys, next } = takeWorking(town.seeded.plan, count, town.next);
  town.next = next;
  return writeLines(
    town.headers,
    keys.map(({ fullKey }) => fullKey),
    file,
  );
}

function writeLines(
  headers: Readonly<Record<string, string>>,
  keys: readonly string[],
  file: string,
): LinesLoad {
  writeFileSync(file, `${keys.join('\n')}\n`, { mode: 0o600 });
  return { path: PATH, headers, file, bodyBefore: '{"key":"', bodyAfter: '"}' };
}

interface Draft {
  readonly p50Ms: number[];
  readonly p99Ms: number[];
}

async function measureCosts(
  towns: readonly Town[],
  pace: Pace,
  file: string,
): Promise<{ readonly hot: Cost; readonly random: Cost }[]> {
  const alone = { seconds: pace.seconds, connections: 1 };
  const drafts = towns.map(() => ({ hot: newDraft(), random: newDraft() }));
  for (const { site, hot } of towns)
    await measureLoads(site.server.url, hot, { seconds: pace.warmUpSeconds });
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const [index, town] of rotate([...towns.entries()], round)) {
      const draft = drafts[index];
      add(draft?.hot, await measureLoads(town.site.server.url, town.hot, alone));
      const load = drawKeys(town, RANDOM_KEYS_A_SECOND * pace.seconds, file);
      add(draft?.random, await measureLines(town.site.server.url, load, alone));
    }
  }
  const costs = [];
  for (const [index, town] of towns.entries()) {
    const { url } = town.site.server;
    const crowd = { seconds: pace.seconds };
    const draft = drafts[index] ?? { hot: newDraft(), random: newDraft() };
    const hot = await withCpu(town, () => measureLoads(url, town.hot, crowd));
    const load = drawKeys(town, CROWD_KEYS_A_SECOND * pace.seconds, file);
    const random = await withCpu(town, () => measureLines(url, load, crowd));
    costs.push({ hot: { ...draft.hot, ...hot }, random: { ...draft.random, ...random } });
  }
  return costs;
}

function newDraft(): Draft {
  return { p50Ms: [], p99Ms: [] };
}

function add(draft: Draft | undefined, { p50Ms, p99Ms }: Measured): void {
  draft?.p50Ms.push(p50Ms);
  draft?.p99Ms.push(p99Ms);
}

function processOf({ server }: Site): number {
  if (server.child.pid === undefined) throw new Error('The server has no process.');
  return server.child.pid;
}

async function withCpu(
  { site }: Town,
  measure: () => Promise<Measured>,
): Promise<Pick<Cost, 'requestsPerSecond' | 'cpuSecondsPer100k'>> {
  const before = readCpuSeconds(processOf(site));
  const { requests, requestsPerSecond } = await measure();
  const cpuSecondsPer100k = ((readCpuSeconds(processOf(site)) - before) / requests) * 100_000;
  return { requestsPerSecond, cpuSecondsPer100k };
}

/** A new process asked about every key there is, or a million of them, once, whatever their state. */
async function measureMemory(seeded: Seeded, file: string): Promise<ScaleAt['memory']> {
  const site = await openSite(seeded.environment);
  try {
    const headers = {
      authorization: `Bearer ${await mintCaller(site)}`,
      'content-type': 'application/json',
    };
    await delay(SETTLE_MS);
    const idleMib = readResidentMib(processOf(site)).now;
    const verifications = await askAboutAll(site, seeded.plan, headers, file);
    const { now: afterMib, peak: peakMib } = readResidentMib(processOf(site));
    return { idleMib, verifications, afterMib, peakMib };
  } finally {
    await site.server.stop();
  }
}

async function askAboutAll(
  { server }: Site,
  plan: SeedPlan,
  headers: Readonly<Record<string, string>>,
  file: string,
): Promise<number> {
  const rest = everyKey(plan);
  let waiting: string[] = [];
  let asked = 0;
  for (;;) {
    while (waiting.length < CROWD_KEYS_A_SECOND * SWEEP_SECONDS) {
      const next = rest.next();
      if (next.done === true) break;
      waiting.push(next.value);
    }
    if (waiting.length === 0 || asked >= VERIFICATIONS_MAX) return asked;
    const load = writeLines(headers, waiting, file);
    const { requests } = await measureLines(server.url, load, { seconds: SWEEP_SECONDS });
    asked += requests;
    waiting = waiting.slice(requests);
  }
}
