// A negative control: the server answers before its change is stored. Its transactions are parts of one that is
// committed only now and then, so a kill takes what was acknowledged since.
import { DatabaseSync } from 'node:sqlite';

const COMMIT_EVERY_MS = 400;
const { exec, prepare } = DatabaseSync.prototype;
/** When the long transaction of each database was begun. */
const begunAt = new WeakMap();
const inChange = new WeakSet();

/** A statement without parameters and without rows that does something else than its text says. */
function pretend(work) {
  const run = () => {
    work();
    return { changes: 0, lastInsertRowid: 0 };
  };
  return { columns: () => [], run, all: run };
}

function commitWhenDue(database) {
  const age = performance.now() - (begunAt.get(database) ?? performance.now());
  // In the middle of a change its first half would be stored alone: another fault than the one that is shown here.
  if (age < COMMIT_EVERY_MS || inChange.has(database)) return;
  begunAt.delete(database);
  exec.call(database, 'commit');
}

function begin(database) {
  // Here as well as by the clock: who waits to see his own change may leave the clock no turn.
  commitWhenDue(database);
  if (!begunAt.has(database)) {
    exec.call(database, 'begin immediate');
    begunAt.set(database, performance.now());
    const timer = setInterval(() => {
      commitWhenDue(database);
      if (!begunAt.has(database)) clearInterval(timer);
    }, COMMIT_EVERY_MS / 4);
    timer.unref();
  }
  exec.call(database, 'savepoint change');
  inChange.add(database);
}

function end(database, sql) {
  exec.call(database, sql);
  inChange.delete(database);
}

DatabaseSync.prototype.prepare = function prepareLate(sql, ...rest) {
  if (sql === 'begin immediate') return pretend(() => begin(this));
  if (sql === 'commit') return pretend(() => end(this, 'release change'));
  if (sql === 'rollback') return pretend(() => end(this, 'rollback to change; release change'));
  return prepare.call(this, sql, ...rest);
};
