import { DatabaseSync, StatementSync } from 'node:sqlite';

// Loaded into the server before all else, by `--import`: it measures from within, on demand of its parent.

/** What happened in the server since the last `reset`. */
export interface ProbeReading {
  /**
   * The longest turn of the event loop, in milliseconds of the processor: on a busy machine the clock would count
   * the time in which other programs ran.
   */
  readonly blockMs: number;
  readonly statements: number;
  readonly slowestMs: number;
  readonly slowestSql: string;
  /** The most rows that one statement gave. */
  readonly rowsMax: number;
}

let reading = { statements: 0, slowestMs: 0, slowestSql: '', rowsMax: 0 };

function note(sql: string, startedAt: number, rows: number): void {
  const ms = performance.now() - startedAt;
  reading.statements += 1;
  reading.rowsMax = Math.max(reading.rowsMax, rows);
  if (ms <= reading.slowestMs) return;
  reading.slowestMs = ms;
  reading.slowestSql = sql;
}

type Method = (this: StatementSync, ...values: unknown[]) => unknown;

for (const name of ['all', 'get', 'run'] as const) {
  const original = StatementSync.prototype[name] as unknown as Method;
  const timed: Method = function timed(...values) {
    const startedAt = performance.now();
    const result = original.apply(this, values);
    note(this.sourceSQL, startedAt, Array.isArray(result) ? result.length : 1);
    return result;
  };
  Object.defineProperty(StatementSync.prototype, name, { value: timed });
}

const originalExec: (sql: string) => void = Reflect.get(DatabaseSync.prototype, 'exec');
Object.defineProperty(DatabaseSync.prototype, 'exec', {
  value(this: DatabaseSync, sql: string) {
    const startedAt = performance.now();
    originalExec.call(this, sql);
    note(sql, startedAt, 0);
  },
});

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

let turn: NodeJS.Immediate | null = null;
let longestMs = 0;

/** Comes round once in every turn of the event loop, as long as something is measured. */
function watchTurns(since: number): void {
  turn = setImmediate(() => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - since);
    watchTurns(cpuMs());
  });
}

process.on('message', (message) => {
  if (turn !== null) clearImmediate(turn);
  turn = null;
  if (message === 'reset') {
    reading = { statements: 0, slowestMs: 0, slowestSql: '', rowsMax: 0 };
    longestMs = 0;
    watchTurns(cpuMs());
  } else {
    process.send?.({ ...reading, blockMs: longestMs } satisfies ProbeReading);
  }
});
process.channel?.unref();
