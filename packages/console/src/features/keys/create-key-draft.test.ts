import { describe, expect, test } from 'vitest';
import {
  findDraftFaults,
  type KeyDraft,
  lifetimeOf,
  placeOfField,
  scopesOf,
  startDraft,
  toBody,
  validResourcesOf,
} from './create-key-draft.ts';

const FACTS = { hasAddress: true, lifetimeDays: 365 };
const other = (action: string, ...resources: string[]) => ({ id: 1, action, resources, text: '' });

/** A draft that may be sent, changed here and there. */
function draft(changed: Partial<KeyDraft> = {}): KeyDraft {
  return { ...startDraft('push'), comment: 'CI', patterns: ['Hayama.*'], ...changed };
}

const faults = (changed: Partial<KeyDraft>, facts: Partial<typeof FACTS> = {}) =>
  Object.fromEntries(findDraftFaults(draft(changed), { ...FACTS, ...facts }));

describe('what is sent', () => {
  test('is one scope for packages, then one for each other action', () => {
    const scopes = scopesOf(
      draft({ mayUnlist: true, singles: ['Acme.Tools'], others: [other(' billing:read ', 'acme-*')] }),
    );
    expect(scopes).toEqual([
      { actions: ['package:push', 'package:unlist'], resources: ['Hayama.*', 'Acme.Tools'] },
      { actions: ['billing:read'], resources: ['acme-*'] },
    ]);
  });

  test('names a single package only where no pattern holds it', () => {
    const singles = ['hayama.edge', 'Acme'];
    expect(scopesOf(draft({ singles }))[0]?.resources).toEqual(['Hayama.*', 'Acme']);
    expect(scopesOf(draft({ singles, patterns: ['*'] }))[0]?.resources).toEqual(['*']);
  });

  test('holds no scopes and no owner for all rights of the account', () => {
    const body = toBody(draft({ access: 'account', ownerId: 'acc_1' }), 90);
    expect(body).toEqual({ comment: 'CI', access: 'account', lifetimeDays: 90 });
  });

  test('names the addresses from which the key may be used, and none when none was typed', () => {
    expect(toBody(draft({ ipText: ' 203.0.113.0/24\n2001:db8::/32、192.0.2.1 ' }), 1).ipRanges).toEqual([
      '203.0.113.0/24',
      '2001:db8::/32',
      '192.0.2.1',
    ]);
    expect(toBody(draft({ ipText: ' \n ' }), 1)).not.toHaveProperty('ipRanges');
  });

  test('leaves the lifetime to the server when the choices are not known', () => {
    expect(toBody(draft({ access: 'account' }), undefined)).toEqual({ comment: 'CI', access: 'account' });
  });

  test('names an address only for a key that is mailed', () => {
    const mailed = { access: 'account', sendsMail: true, mailTo: ' ops@acme.example ' } as const;
    expect(toBody(draft(mailed), 1)).toMatchObject({ sendMail: true, mailTo: 'ops@acme.example' });
    expect(toBody(draft({ ...mailed, sendsMail: false }), 1)).not.toHaveProperty('mailTo');
  });
});

describe('the lifetime', () => {
  test.each([
    [{}, 365],
    [{ lifetimeDays: 90 }, 90],
    [{ lifetimeDays: 90, customDays: ' 45 ' }, 45],
    [{ customDays: '' }, null],
    [{ customDays: '1e2' }, null],
    [{ customDays: '-3' }, null],
    [{ customDays: '4.5' }, null],
  ])('%j is %s days', (changed, days) => {
    expect(lifetimeOf(draft(changed), 365)).toBe(days);
  });
});

describe('what is told before anything is sent', () => {
  test('is nothing when all is there', () => {
    expect(faults({})).toEqual({});
    expect(faults({ access: 'account', push: null, patterns: [] })).toEqual({});
    expect(faults({ push: null, patterns: [], others: [other('billing:read', '*')] })).toEqual({});
  });

  test.each([
    [{ comment: ' \t' }, { comment: 'commentMissing' }],
    [{ comment: 'a'.repeat(257) }, { comment: 'commentMissing' }],
    [{ push: null, patterns: [] }, { permissions: 'permissionMissing' }],
    [{ push: null, others: [other('billing:read', '*')] }, { permissions: 'permissionForPatterns' }],
    [{ patterns: [] }, { patterns: 'patternMissing' }],
    [{ patterns: ['Hayama.Dát*'] }, { patterns: 'patternFaulty' }],
    [
      { patterns: Array.from({ length: 100 }, (_, index) => `A${index}*`), singles: ['B'] },
      { patterns: 'tooManyPatterns' },
    ],
    [{ others: [other('', '*')] }, { 'other:0:action': 'actionMissing' }],
    [{ others: [other('billing:read')] }, { 'other:0:resources': 'resourceMissing' }],
    [{ others: [other('package:read', 'a/b')] }, { 'other:0:resources': 'patternFaulty' }],
    [{ others: [other('billing:read', 'a b')] }, { 'other:0:resources': 'patternFaulty' }],
  ])('%j', (changed, found) => {
    expect(faults(changed)).toEqual(found);
  });

  test('is the address of a mail for an account that has none', () => {
    expect(faults({ sendsMail: true }, { hasAddress: false })).toEqual({ mailTo: 'addressMissing' });
    expect(faults({ sendsMail: true, mailTo: 'ops@acme.example' }, { hasAddress: false })).toEqual({});
  });

  test('is a lifetime that is no number yet', () => {
    const found = findDraftFaults(draft(), { hasAddress: true, lifetimeDays: null });
    expect([...found]).toEqual([['lifetimeDays', 'daysMissing']]);
    expect(findDraftFaults(draft(), { hasAddress: true, lifetimeDays: undefined }).size).toBe(0);
  });
});

describe('the place of a fault that the server names', () => {
  const full = draft({ patterns: ['A*', 'B*'], singles: ['C'], others: [other('billing:read', 'x', 'y')] });

  test.each([
    ['comment', 'comment'],
    ['scopes[0].resources[1]', 'pattern:1'],
    ['scopes[0].resources[2]', 'patterns'],
    ['scopes[0].resources', 'patterns'],
    ['scopes[0].actions', 'permissions'],
    ['scopes[0].actions[1]', 'permissions'],
    ['scopes[1].actions[0]', 'other:0:action'],
    ['scopes[1].resources[1]', 'other:0:resource:1'],
    ['scopes[1].resources', 'other:0:resources'],
    ['scopes[2].resources[0]', null],
    ['ipRanges', 'ipRanges'],
    ['ipRanges[1]', 'ipRanges:1'],
    ['limits.quota.uses', 'limits.quota.uses'],
    ['newField', null],
  ])('%s is %s', (field, place) => {
    expect(placeOfField(field, full)).toBe(place);
  });

  test('counts the other actions from the first scope when nothing is chosen for packages', () => {
    expect(placeOfField('scopes[0].resources[1]', { ...full, push: null })).toBe('other:0:resource:1');
  });
});

test('the preview is asked for what the server takes, and for no more than it takes', () => {
  const patterns = ['Dát*', ...Array.from({ length: 120 }, (_, index) => `A${index}*`)];
  const asked = validResourcesOf({ patterns, singles: [] });
  expect(asked).toHaveLength(100);
  expect(asked).not.toContain('Dát*');
});
