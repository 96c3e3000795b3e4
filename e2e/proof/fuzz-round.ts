import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Harness } from '@keyreeve/testkit';
import { sql } from 'kysely';
import { openLedger } from '../matrix/ledger.ts';
import { Dice } from './fuzz-dice.ts';
import type { ApiDocument, Operation } from './fuzz-document.ts';
import { judgeAnswer } from './fuzz-judge.ts';
import { describeRequest, type FuzzRequest, makeRequest } from './fuzz-requests.ts';
import { type FuzzStage, openStage } from './fuzz-stage.ts';
import { type WireAnswer, WireClient } from './fuzz-wire.ts';

export interface RoundOptions {
  readonly api: ApiDocument;
  /** Some of those of the document. */
  readonly operations: readonly Operation[];
  readonly port: number;
  readonly seed: number;
  readonly requestCount: number;
}

/** A kind of fault with the number of times it was seen, and the first request that has shown it with its answer. */
export interface Fault {
  readonly what: string;
  readonly count: number;
  readonly shownBy: string;
}

export interface RoundResult {
  readonly requestCount: number;
  /** By operation and status, such as `createKey 201`: how far requests got. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly faults: readonly Fault[];
}

/** A stage for rounds of random requests; after each few hundred of them its rows are put back. */
export interface FuzzBench {
  readonly stage: FuzzStage;
  run(options: RoundOptions): Promise<RoundResult>;
  restore(): void;
  close(): void;
}

/** Otherwise soon nobody would be left who may do anything. */
const EPISODE_REQUESTS = 400;
const CONNECTIONS = 4;
/** The clock of the server moves on, so that what is throttled is let in again. */
const REQUEST_MS = 40;
/** Hashing a password, or reading a package, takes longer than hundreds of other requests. */
const SLOW_OPERATIONS = [
  'signIn',
  'createUser',
  'updateUser',
  'setUp',
  'changePassword',
  'resetPassword',
  'acceptInvitation',
  'createWorkspace',
  'pushPackage',
  'previewPackage',
];
const SLOW_PERCENT = 25;

export function portOf({ server }: { readonly server: Harness['app']['server'] }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen.');
  return address.port;
}

/** PostgreSQL keeps what was done: its rounds are short, and each on a database of its own. */
export async function openBench(harness: Harness): Promise<FuzzBench> {
  const stage = await openStage(harness);
  const ledger = harness.database.engine === 'sqlite' ? await openLedger(harness) : null;
  const start = ledger?.read();
  const restore = () => {
    if (ledger === null || start === undefined) return;
    ledger.restore(start);
    stage.forget();
  };
  return {
    stage,
    restore,
    close: () => ledger?.close(),
    run: async (options) => {
      const round = new Round(options, stage, harness);
      const clients = Array.from({ length: CONNECTIONS }, () => new WireClient(options.port));
      try {
        for (let sent = 0; sent < options.requestCount; sent += EPISODE_REQUESTS) {
          await round.send(clients, Math.min(EPISODE_REQUESTS, options.requestCount - sent));
          await round.checkServer();
          restore();
        }
      } finally {
        for (const client of clients) client.close();
      }
      return round.result();
    },
  };
}

class Round {
  readonly #options: RoundOptions;
  readonly #stage: FuzzStage;
  readonly #harness: Harness;
  readonly #dice: Dice;
  readonly #statuses = new Map<string, number>();
  readonly #faults = new Map<string, { count: number; readonly shownBy: string }>();
  /** Each of the slow operations is asked at least once, however short the round. */
  readonly #slowAsked = new Set<string>();
  #requestCount = 0;

  constructor(options: RoundOptions, stage: FuzzStage, harness: Harness) {
    this.#options = options;
    this.#stage = stage;
    this.#harness = harness;
    this.#dice = new Dice(options.seed);
  }

  async send(clients: readonly WireClient[], count: number): Promise<void> {
    let left = count;
    await Promise.all(
      clients.map(async (client) => {
        while (left > 0) {
          left -= 1;
          await this.#ask(client);
        }
      }),
    );
  }

  result(): RoundResult {
    return {
      requestCount: this.#requestCount,
      statuses: Object.fromEntries(this.#statuses),
      faults: [...this.#faults].map(([what, fault]) => ({ what, ...fault })),
    };
  }

  /** The key that no request may touch still verifies, and the database is whole. */
  async checkServer(): Promise<void> {
    const { stage, harness } = { stage: this.#stage, harness: this.#harness };
    for (const what of await findServerFaults(harness, stage.keptKey))
      this.#blame(what, `after ${this.#requestCount} requests`);
  }

  #pickOperation(): Operation {
    const { operations } = this.#options;
    const operation = this.#dice.pick(operations);
    const isSlow = SLOW_OPERATIONS.includes(operation.id);
    const isSkipped = isSlow && this.#slowAsked.has(operation.id) && !this.#dice.chance(SLOW_PERCENT);
    if (isSlow) this.#slowAsked.add(operation.id);
    return isSkipped ? this.#dice.pick(operations) : operation;
  }

  async #ask(client: WireClient): Promise<void> {
    const { api } = this.#options;
    const request = makeRequest(api, this.#pickOperation(), this.#stage, this.#dice);
    this.#requestCount += 1;
    this.#harness.clock.advance(REQUEST_MS);
    let answer: WireAnswer;
    try {
      answer = await client.send(request);
    } catch (fault) {
      if (await this.#hasLostRight(client, request)) return;
      this.#blame(`${request.operation.id}: no answer`, `${describeRequest(request)}\n  → ${String(fault)}`);
      return;
    }
    const name = `${request.operation.id} ${answer.status}`;
    this.#statuses.set(name, (this.#statuses.get(name) ?? 0) + 1);
    for (const what of judgeAnswer(api, request, answer))
      this.#blame(`${request.operation.id}: ${what}`, describe(request, answer));
    this.#stage.learn(request.operation.id, answer);
  }

  /** Exports break off when another request has just taken the right to them: asked again, it is refused. */
  async #hasLostRight(client: WireClient, request: FuzzRequest): Promise<boolean> {
    if (!request.operation.id.startsWith('exportAudit')) return false;
    const answer = await client.send(request).catch(() => null);
    return answer !== null && [401, 403].includes(answer.status);
  }

  #blame(what: string, shownBy: string): void {
    const before = this.#faults.get(what);
    this.#faults.set(what, { shownBy: before?.shownBy ?? shownBy, count: (before?.count ?? 0) + 1 });
  }
}

/** Rows that belong to others, by the column that names the others. */
const BELONGINGS = [
  ['api_keys', 'account_id', 'accounts'],
  ['sessions', 'account_id', 'accounts'],
  ['account_managers', 'user_id', 'accounts'],
  ['account_managers', 'service_account_id', 'accounts'],
  ['feed_links', 'account_id', 'accounts'],
  ['package_owners', 'account_id', 'accounts'],
  ['package_owners', 'package_id', 'packages'],
  ['package_versions', 'package_id', 'packages'],
  ['package_owner_requests', 'package_id', 'packages'],
  ['package_prefix_accounts', 'prefix_id', 'package_prefixes'],
] as const;

/** What is wrong with the server itself: a good key that is refused, or rows that do not fit together. */
export async function findServerFaults({ app, deps, database }: Harness, keptKey: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${keptKey}`, host: 'localhost:8080' };
  const url = '/v1/authorize?action=package:push&resource=Kept';
  const { statusCode } = await app.inject({ url, headers });
  const faults = statusCode === 204 ? [] : [`the kept key is answered with ${statusCode}`];
  for (const [table, column, others] of BELONGINGS) {
    const { rows } = await sql<{ id: string }>`select ${sql.ref(column)} as id from ${sql.table(table)}
      where ${sql.ref(column)} not in (select id from ${sql.table(others)})`.execute(deps.storage.read);
    if (rows.length > 0) faults.push(`${rows.length} rows of ${table} belong to no row of ${others}`);
  }
  if (database.engine === 'postgres') return faults;
  const file = new DatabaseSync(path.join(database.dataDir, 'keyreeve.db'), { readOnly: true });
  const found = JSON.stringify(file.prepare('pragma quick_check').all());
  file.close();
  return found === '[{"quick_check":"ok"}]' ? faults : [...faults, `the file is damaged: ${found}`];
}

function describe(request: FuzzRequest, { status, phrase, headers, body }: WireAnswer): string {
  const head = [...headers].map(([name, value]) => `${name}: ${value}`).join(' | ');
  return `${describeRequest(request)}\n  → ${status} ${phrase} [${head}] ${body.toString().slice(0, 1_000)}`;
}
