// The negative control: makes the server run with `synchronous=NORMAL` and believe that it has FULL. If a power
// cut then lost nothing, the test of the real setting would prove nothing either.
import { DatabaseSync } from 'node:sqlite';

const { exec, prepare } = DatabaseSync.prototype;

DatabaseSync.prototype.exec = function execNormal(sql) {
  return exec.call(this, sql === 'pragma synchronous = FULL' ? 'pragma synchronous = NORMAL' : sql);
};
DatabaseSync.prototype.prepare = function prepareNormal(sql, ...rest) {
  if (sql === 'pragma synchronous') return { get: () => ({ synchronous: 2 }) };
  return prepare.call(this, sql, ...rest);
};
