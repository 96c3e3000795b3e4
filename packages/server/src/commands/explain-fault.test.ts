import { describe, expect, it } from 'vitest';
import { AuditKeysMissing } from '../features/audit/index.ts';
import { NewerDatabaseError } from '../storage/index.ts';
import { explainFault } from './explain-fault.ts';

describe('a fault of the database', () => {
  it.each([
    [Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:5432'), { code: 'ECONNREFUSED' })],
    [new Error('Connection terminated due to connection timeout')],
    [new Error('timeout exceeded when trying to connect')],
    [new Error('The migration failed.', { cause: Object.assign(new Error('no'), { code: '28P01' }) })],
  ])('%s is told in words that name the setting, without a stack', (error) => {
    const told = explainFault(error);
    expect(told).toContain('KEYREEVE_DATABASE_URL cannot be used');
    expect(told).not.toContain('    at ');
  });

  it('that a newer release has made is told in words that say how to go on, without a stack', () => {
    const told = explainFault(new NewerDatabaseError('0099-later'));
    expect(told).toMatch(/newer release.*0099-later.*Start the newer release again, or restore a backup/s);
    expect(told).not.toContain('    at ');
  });

  it('that lacks the keys of the audit log is told in words, without a stack', () => {
    const told = explainFault(new AuditKeysMissing(true));
    expect(told).toMatch(/audit_keys.*restore a backup/s);
    expect(told).not.toContain('    at ');
  });

  it('of another kind keeps its stack', () => {
    expect(explainFault(new Error('strange'))).toContain('    at ');
  });
});
