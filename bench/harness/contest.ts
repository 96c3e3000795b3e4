import type { BenchServer } from '../servers.ts';
import type { Subject } from '../subjects/subject.ts';
import { CONNECTIONS, type Load, measureLoads } from '../wrk.ts';
import { checkGate, expectAllTaken, type Gate } from './gate.ts';
import { readCpuSeconds } from './process-figures.ts';

/** One load on one server, among others that it is compared with. */
export interface Contestant {
  readonly name: string;
  readonly what: string;
  readonly durability: string;
  readonly gate: Gate | null;
  readonly server: BenchServer;
  readonly loads: readonly Load[];
}

export interface Round {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server alone. */
  readonly cpuSecondsPer100k: number;
}

export interface Outcome {
  readonly name: string;
  readonly what: string;
  readonly durability: string;
  readonly gate: Gate | null;
  readonly credentials: number;
  readonly connections: number;
  readonly rounds: readonly Round[];
  /** One connection, so that nothing waits for anything else; null when it was not asked for. */
  readonly alone: { readonly p50Ms: number; readonly p99Ms: number } | null;
}

export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/**
 * Lets a subject show that it decides, and makes the credentials of its load.
 *
 * @throws Error when `isOurs` and the gate does not hold: then there is nothing to measure
 */
export async function enter(subject: Subject, credentials: number, isOurs: boolean): Promise<Contestant> {
  const gate = await checkGate(subject);
  if (isOurs && !gate.hasPassed) throw new Error(`${subject.name}: ${gate.remark}.`);
  const made = await subject.make(credentials);
  await expectAllTaken(subject, made);
  const { name, what, durability, server } = subject;
  return { name, what, durability, gate, server, loads: made.map((one) => subject.load(one)) };
}

/** The same ones, beginning with another in each round, so that a drift of the machine meets all of them alike. */
export function rotate<Item>(items: readonly Item[], round: number): Item[] {
  const from = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

/** All of them in turn, one at a time; the servers of the others wait. */
export async function runContest(contestants: readonly Contestant[], pace: Pace): Promise<Outcome[]> {
  const rounds = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]));
  for (const contestant of contestants)
    await measureLoads(contestant.server.url, contestant.loads, { seconds: pace.warmUpSeconds });
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const contestant of rotate(contestants, round))
      rounds.get(contestant.name)?.push(await measureRound(contestant, pace));
  }
  const outcomes: Outcome[] = [];
  for (const { name, what, durability, gate, server, loads } of contestants) {
    const pressure = { seconds: pace.seconds, connections: 1 };
    const { p50Ms, p99Ms } = await measureLoads(server.url, loads, pressure);
    outcomes.push({
      name,
      what,
      durability,
      gate,
      credentials: loads.length,
      connections: CONNECTIONS,
      rounds: rounds.get(name) ?? [],
      alone: { p50Ms, p99Ms },
    });
  }
  return outcomes;
}

async function measureRound({ server, loads }: Contestant, { seconds }: Pace): Promise<Round> {
  const { pid } = server.child;
  if (pid === undefined) throw new Error('The server has no process.');
  const before = readCpuSeconds(pid);
  const { requests, ...figures } = await measureLoads(server.url, loads, { seconds });
  const cpuSecondsPer100k = ((readCpuSeconds(pid) - before) / requests) * 100_000;
  return { ...figures, cpuSecondsPer100k };
}
