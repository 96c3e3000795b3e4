import { describe, expect, it } from 'vitest';
import { isRetryable, isUnavailable, isUniqueViolation } from './faults.ts';

const sqlite = (errcode: number) => Object.assign(new Error('SQLite'), { code: 'ERR_SQLITE_ERROR', errcode });
const postgres = (code: string) => Object.assign(new Error('PostgreSQL'), { code });

describe('faults of the databases', () => {
  it('are tried again when another writer was in the way', () => {
    // 5 busy, 261 busy while recovering, 517 busy snapshot.
    for (const errcode of [5, 261, 517]) expect(isRetryable(sqlite(errcode))).toBe(true);
    for (const code of ['40001', '40P01', '55P03']) expect(isRetryable(postgres(code))).toBe(true);
  });

  it('are not tried again when trying again cannot help', () => {
    for (const errcode of [1, 11, 13, 19, 2067]) expect(isRetryable(sqlite(errcode))).toBe(false);
    for (const code of ['23505', '42P01', '08006', 'ECONNREFUSED'])
      expect(isRetryable(postgres(code))).toBe(false);
  });

  it('tell a taken name from every other refusal', () => {
    expect([1555, 2067].map((errcode) => isUniqueViolation(sqlite(errcode)))).toEqual([true, true]);
    expect([19, 1299, 787, 5].map((errcode) => isUniqueViolation(sqlite(errcode)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(['23505', '23502', '23503'].map((code) => isUniqueViolation(postgres(code)))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('are called unavailable when the database is full, busy, slow, away, or only reads, or its disk fails', () => {
    // 10 is an error of the disk; 266, 778 and 1034 are those at a read, a write and a sync.
    for (const errcode of [5, 13, 517, 10, 266, 778, 1034]) expect(isUnavailable(sqlite(errcode))).toBe(true);
    for (const code of [
      '40001',
      '55P03',
      '57P01',
      '57P03',
      '57014',
      '08006',
      '53300',
      '25006',
      'ECONNREFUSED',
      'ECONNRESET',
    ]) {
      expect(isUnavailable(postgres(code))).toBe(true);
    }
    for (const message of [
      'timeout exceeded when trying to connect',
      'Query read timeout',
      'Connection terminated unexpectedly',
      'Client has encountered a connection error and is not queryable',
    ]) {
      expect(isUnavailable(new Error(message))).toBe(true);
    }
  });

  it('are called unavailable when the name or the socket of the server is gone, and not when a file is', () => {
    const system = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });
    for (const code of ['ENOTFOUND', 'EAI_AGAIN'])
      expect(isUnavailable(system(code, 'getaddrinfo')), code).toBe(true);
    for (const code of ['ENOENT', 'ECONNABORTED', 'EHOSTDOWN', 'ENETDOWN'])
      expect(isUnavailable(system(code, 'connect')), code).toBe(true);
    expect(isUnavailable(system('ENOENT', 'open'))).toBe(false);
  });

  it.each([null, undefined, 'busy', 5, {}, new Error('no'), postgres('42601'), sqlite(1)])(
    'stay unknown for %s',
    (error) => {
      expect([isRetryable(error), isUnavailable(error), isUniqueViolation(error)]).toEqual([
        false,
        false,
        false,
      ]);
    },
  );
});
