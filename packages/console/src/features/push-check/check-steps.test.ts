import type { PackageCheck } from '@keyreeve/sdk';
import { expect, test } from 'vitest';
import { toSteps } from './check-steps.ts';

const READ: NonNullable<PackageCheck['package']> = {
  id: 'Acme.Tool',
  version: '1.0.0',
  isPrerelease: false,
  sizeBytes: 1,
  sha512: '',
  title: null,
  authors: 'Ada',
  description: 'A tool',
  tags: null,
  dependencyCount: 0,
  readme: null,
  icon: null,
};
const PASSED: PackageCheck = {
  wouldSucceed: true,
  ownerId: 'acc_1',
  package: READ,
  isNew: true,
  action: 'package:pushnew',
  pattern: 'Acme.*',
  refusal: null,
};

function told(check: Partial<PackageCheck>, code?: string): string {
  const refusal = code === undefined ? null : { status: 403, code, detail: '' };
  return toSteps({ ...PASSED, ...check, refusal })
    .map(({ name, state }) => `${name} ${state}`)
    .join(', ');
}

test('a push that would succeed has passed every step that its id is asked', () => {
  expect(told({})).toBe('key passed, file passed, scope passed, owner passed, reserved passed, quota passed');
  expect(told({ isNew: false })).toBe(
    'key passed, file passed, scope passed, owner passed, version passed, quota passed',
  );
});

test('what comes behind the refusal was not asked', () => {
  const unknown = { isNew: null, action: null, pattern: null } as const;
  expect(told({}, 'package.id_reserved')).toBe(
    'key passed, file passed, scope passed, owner passed, reserved failed, quota open',
  );
  expect(told(unknown, 'package.not_permitted')).toBe(
    'key passed, file passed, scope failed, owner open, reserved open, version open, quota open',
  );
  expect(told({ ...unknown, package: null }, 'package.unreadable')).toMatch(
    /^key passed, file failed, scope open/,
  );
});

test('a key that may push nothing is refused before the package is read', () => {
  const unread = { package: null, isNew: null, action: null, pattern: null };
  expect(told(unread, 'package.not_permitted')).toMatch(/^key failed, file open/);
  expect(told(unread, 'package.key_refused')).toMatch(/^key failed, file open/);
});

test('a refusal that the page does not know lets no step pass', () => {
  expect(told({}, 'package.some_new_rule')).not.toMatch(/passed|failed/);
});
