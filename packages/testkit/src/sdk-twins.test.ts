import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPermittedBy } from '../../sdk/src/permissions.ts';
import { readPresented, readRawHeaders } from '../../sdk/src/presented.ts';
import { REFUSALS } from '../../sdk/src/refusals.ts';
import { requestErrors } from '../../server/src/errors/index.ts';
import { limitErrors } from '../../server/src/features/limits/limits.errors.ts';
import { isPermitted as isPermittedAtServer } from '../../server/src/features/scopes/index.ts';
import { authErrors } from '../../server/src/http/auth-errors.ts';
import { readCredential, refuseRepeatedHeaders } from '../../server/src/http/credentials.ts';

/** The SDK decides offline what the server decides: wherever two programs answer one question, they answer alike. */

const action = fc.constantFrom(
  'package:push',
  'package:pushnew',
  'package:pushversion',
  'package:unlist',
  'packages:push',
  'report:read',
  'report:page:read',
  'iam:keys:write',
);
const heldAction = fc.oneof(action, fc.constantFrom('package:*', 'report:*', 'iam:*', 'p:*', '*', ':*', ''));
const resource = fc.string({
  unit: fc.constantFrom('a', 'A', 'b', 'k', 'K', '.', '_'),
  minLength: 1,
  maxLength: 8,
});
const pattern = fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'k', '.', '*', '\u212A'), maxLength: 6 });
const permission = fc.record({
  actions: fc.array(heldAction, { maxLength: 3 }),
  resources: fc.array(pattern, { maxLength: 3 }),
});

describe('the SDK and the server', () => {
  it('permit the same actions on the same resources', () => {
    fc.assert(
      fc.property(fc.array(permission, { maxLength: 3 }), action, resource, (permissions, wanted, name) => {
        expect(isPermittedBy(permissions, wanted, name)).toBe(isPermittedAtServer(permissions, wanted, name));
      }),
      { numRuns: 20_000 },
    );
  });

  it('permit on everything what is held on everything, when no resource is named', () => {
    fc.assert(
      fc.property(fc.array(permission, { maxLength: 3 }), action, (permissions, wanted) => {
        expect(isPermittedBy(permissions, wanted)).toBe(isPermittedAtServer(permissions, wanted, '*'));
      }),
      { numRuns: 5_000 },
    );
  });

  it('take no longer for patterns made to cost time: a matcher that goes back would not end', () => {
    const permissions = [{ actions: ['report:read'], resources: [`${'a*'.repeat(60)}b`] }];
    expect(isPermittedBy(permissions, 'report:read', 'a'.repeat(1_024))).toBe(false);
    expect(isPermittedBy(permissions, 'report:read', `${'a'.repeat(1_023)}b`)).toBe(true);
  });

  const secret = 'A'.repeat(49);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const headerValue = fc.oneof(
    fc.constantFrom(
      '',
      ' ',
      `Bearer kr_0123456789ABCDEF_${secret}`,
      `bearer   kr_0123456789ABCDEF_${secret}  `,
      `kr_0123456789ABCDEF_${secret}`,
      `Basic ${base64(`kr_0123456789ABCDEF:${secret}`)}`,
      `Basic ${base64(`kr_0123456789ABCDEF:${secret}`).replaceAll('=', '')}`,
      `Basic ${base64(`:kr_0123456789ABCDEF_${secret}`)}`,
      `Basic ${base64(`somebody:kr_0123456789ABCDEF_${secret}`)}`,
      `Basic ${base64('ö:ü')}`,
      `Basic ${base64(':')}`,
      `Basic ${base64('nocolon')}`,
      'Basic',
      'Basic ====',
      'Bearer',
      'Bearer a b',
      'Digest username="x"',
      'eyJhbGciOiJub25lIn0.e30.AA',
    ),
    fc.string({ unit: fc.constantFrom('a', 'B', ' ', ':', '=', '.', '_'), maxLength: 12 }),
  );
  const headers = fc.array(
    fc.tuple(
      fc.constantFrom('authorization', 'Authorization', 'x-api-key', 'X-NuGet-ApiKey', 'accept'),
      headerValue,
    ),
    { maxLength: 3 },
  );

  function readAtServer(raw: readonly string[]): unknown {
    try {
      refuseRepeatedHeaders(raw);
      const pairs = raw.flatMap((name, index) =>
        index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]]] : [],
      );
      const found = readCredential(Object.fromEntries(pairs) as Record<string, string>);
      if (found === null || found.kind === 'cookie') return found;
      return found.kind === 'pair'
        ? { ...found, secretKey: found.secretKey.reveal() }
        : { ...found, value: found.value.reveal() };
    } catch (error) {
      return (error as { code: string }).code.replace('auth.', '');
    }
  }

  it('find the same credential in the same headers, and refuse the same ones', () => {
    fc.assert(
      fc.property(headers, (list) => {
        const raw = list.flat();
        expect(readPresented(readRawHeaders(raw))).toEqual(readAtServer(raw));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(Object.entries(REFUSALS))('refuse with the same code, status and title: %s', (name, refusal) => {
    const make = { ...authErrors, ...limitErrors, ...requestErrors }[name as 'required' | 'unavailable'];
    expect(make().entry).toMatchObject({ code: refusal.code, status: refusal.status, title: refusal.title });
  });
});
