// A negative control: the server answers before its change is stored. Its transactions are parts of one that is
// committed only now and then, so a kill takes what was acknowledged since.
import { DatabaseSync } from 'node:sqlite';

const COMMIT_EVERY_MS = 400;
const { exec, prepare } = DatabaseSync.prototype;
const opened = new WeakSet();
const inChange = new WeakSet();

/** A statement without parameters and without rows that does something else than its text says. */
function pretend(work) {
  const run = () => {
    work();
    return { changes: 0, lastInsertRowid: 0 };
  };
  return { columns: () => [], run, all: run };
}

function commitSoon(database) {
  setTimeout(() => {
    // The server is in the middle of a change; its first half alone would be another fault than the one shown here.
    if (inChange.has(database)) return commitSoon(database);
    opened.delete(database);
    exec.call(database, 'commit');
  }, COMMIT_EVERY_MS).unref();
}

function begin(database) {
  if (!opened.has(database)) {
    exec.call(database, 'begin immediate');
    opened.add(database);
    commitSoon(database);
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
