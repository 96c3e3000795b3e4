import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyIdentity } from '../../http/index.ts';
import { SAMPLE_ACCOUNT, SAMPLE_KEY } from '../../http/samples.ts';
import type { KeyOutcome } from '../keys/index.ts';
import { decide, type Question } from './decide.ts';

const account: AccountIdentity = {
  ...SAMPLE_ACCOUNT,
  grants: [
    { actions: ['package:*'], resources: ['*'] },
    { actions: ['stock:read'], resources: ['eu/*'] },
  ],
};

const scoped: KeyIdentity = {
  ...SAMPLE_KEY,
  comment: 'ci',
  scopes: [
    { actions: ['package:push'], resources: ['Contoso.*'] },
    { actions: ['package:unlist', 'stock:read'], resources: ['*'] },
  ],
  expiresAt: 1,
};

const wholeAccount: KeyIdentity = { ...scoped, access: 'account', scopes: [] };

function valid(key: KeyIdentity, changes: Partial<AccountIdentity> = {}): KeyOutcome {
  return { code: 'valid', key, keyEpoch: 1, account: { ...account, ...changes } };
}

function ask(action: string | null, resource: string | null = null): Question {
  return { action, resource };
}

describe('decide', () => {
  it.each([
    ['a key that is good, nothing asked', valid(scoped), ask(null), 'valid', null],
    [
      'an action within scope and grant',
      valid(scoped),
      ask('package:push', 'Contoso.Tools'),
      'valid',
      scoped.scopes[0],
    ],
    [
      'the same in another case',
      valid(scoped),
      ask('package:push', 'contoso.tools'),
      'valid',
      scoped.scopes[0],
    ],
    [
      'an action that the scope contains',
      valid(scoped),
      ask('package:pushnew', 'Contoso.X'),
      'valid',
      scoped.scopes[0],
    ],
    ['another resource', valid(scoped), ask('package:push', 'Fabrikam'), 'insufficient_scope', null],
    ['another action', valid(scoped), ask('package:read', 'Contoso.Tools'), 'insufficient_scope', null],
    [
      'action and resource of two different scopes',
      valid(scoped),
      ask('package:push', 'Other'),
      'insufficient_scope',
      null,
    ],
    [
      'within the scope, outside the grant',
      valid(scoped),
      ask('stock:read', 'us/1'),
      'insufficient_scope',
      null,
    ],
    ['within both', valid(scoped), ask('stock:read', 'eu/1'), 'valid', scoped.scopes[1]],
    ['no resource, held on everything', valid(scoped), ask('package:unlist'), 'valid', scoped.scopes[1]],
    ['no resource, held on some', valid(scoped), ask('package:push'), 'insufficient_scope', null],
    [
      'no resource, scope on everything but grant on some',
      valid(scoped),
      ask('stock:read'),
      'insufficient_scope',
      null,
    ],
    ['a key without scopes', valid(wholeAccount), ask('package:push', 'X'), 'valid', account.grants[0]],
    [
      'a key without scopes, iam',
      valid(wholeAccount, { role: 'admin' }),
      ask('iam:keys:write', 'acc_ada'),
      'insufficient_scope',
      null,
    ],
    [
      'an imported key, packages',
      valid({ ...wholeAccount, access: 'full' }),
      ask('package:push', 'X'),
      'valid',
      account.grants[0],
    ],
    [
      'an imported key, anything else',
      valid({ ...wholeAccount, access: 'full' }),
      ask('stock:read', 'eu/1'),
      'insufficient_scope',
      null,
    ],
    [
      'an account without grants',
      valid(scoped, { grants: [] }),
      ask('package:push', 'Contoso.A'),
      'insufficient_scope',
      null,
    ],
  ] as const)('%s', (_name, outcome, question, code, matched) => {
    expect(decide(outcome, question)).toEqual({ code, matched });
  });

  it.each(['malformed', 'not_found'] as const)('hands %s on, whatever is asked', (code) => {
    expect(decide({ code }, ask('package:push', 'Contoso.A'))).toEqual({ code, matched: null });
  });

  it.each(['expired', 'disabled', 'account_disabled', 'ip_not_allowed'] as const)(
    'hands %s on, although the scopes would permit it',
    (code) => {
      expect(decide({ code, key: scoped, keyEpoch: 1, account }, ask('package:push', 'Contoso.A'))).toEqual({
        code,
        matched: null,
      });
    },
  );

  it('never permits more by asking for a resource than the matched permission says', () => {
    const action = fc.constantFrom(
      'package:push',
      'package:pushnew',
      'package:unlist',
      'stock:read',
      'iam:keys:write',
    );
    const resource = fc.constantFrom('Contoso.A', 'contoso.', 'Other', 'eu/1', 'us/1', '*', 'eu/*');
    fc.assert(
      fc.property(action, resource, (wantedAction, wantedResource) => {
        const narrow = decide(valid(scoped), ask(wantedAction, wantedResource));
        const wide = decide(valid(scoped, { grants: [] }), ask(wantedAction, wantedResource));
        expect(wide.code).toBe('insufficient_scope');
        expect(narrow.code === 'valid').toBe(narrow.matched !== null);
      }),
    );
  });
});
