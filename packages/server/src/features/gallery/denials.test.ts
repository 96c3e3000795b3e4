import { describe, expect, it } from 'vitest';
import type { AccountIdentity, KeyAccess } from '../../http/index.ts';
import type { Permission } from '../../lib/permission.ts';
import {
  type Actor,
  findPushRefusal,
  findScopeRefusal,
  type GalleryAction,
  refusalOfOwner,
} from './denials.ts';
import { toReasonPhrase } from './gallery.answer.ts';
import { packageErrors } from './gallery.errors.ts';

const ALL: readonly Permission[] = [{ actions: ['package:*'], resources: ['*'] }];
const permit = (action: string, ...resources: string[]): Permission => ({ actions: [action], resources });

function actor(access: KeyAccess, scopes: readonly Permission[], grants = ALL): Actor {
  const account: AccountIdentity = {
    id: 'acc_1',
    workspaceId: 'wsp_1',
    kind: 'user',
    displayName: 'Ada Lovelace',
    login: 'ada@example.com',
    role: 'member',
    isActive: true,
    grants,
    keyLimits: null,
    epoch: 1,
  };
  const key = { id: 'kr_1', ownerId: 'acc_1', comment: 'CI', limits: null, generation: 1, expiresAt: null };
  return { account, key: { ...key, access, scopes } };
}

const tell = (who: Actor, action: GalleryAction, id: string) => findScopeRefusal(who, action, id)?.detail;

describe('the denial of a key', () => {
  it.each<[string, Actor, GalleryAction, string, string]>([
    [
      'whose patterns do not match',
      actor('scoped', [permit('package:push', 'AzureRM.DataFactory*')]),
      'package:pushnew',
      'Other.Package',
      'This API key may push new packages that match AzureRM.DataFactory*; Other.Package does not match',
    ],
    [
      'without the action, with what it may do',
      actor('scoped', [permit('package:pushversion', 'Acme.*', 'Tool.*')]),
      'package:pushnew',
      'Acme.New',
      'This API key may not push new packages; it may push new versions of packages that match Acme.*, Tool.*.',
    ],
    [
      'that may do nothing with packages',
      actor('scoped', [permit('orders:read', '*')]),
      'package:unlist',
      'Acme.New',
      'This API key may not unlist or relist packages.',
    ],
    [
      'whose account is granted less than its scopes say',
      actor('scoped', [permit('package:push', '*')], [permit('package:push', 'Acme.*')]),
      'package:pushversion',
      'Other.Package',
      'The account of this API key is granted package:pushversion on Acme.*; Other.Package does not match. Ask an administrator to grant it',
    ],
    [
      'whose account has lost the action',
      actor('account', [], [permit('package:read', '*')]),
      'package:unlist',
      'Acme.Tool',
      'The account of this API key is not granted package:unlist on Acme.Tool. Ask an administrator to grant it',
    ],
  ])('%s says which part failed and what would pass', (_name, who, action, id, text) => {
    expect(tell(who, action, id)).toBe(text);
  });

  it.each<[string, Actor, string | undefined]>([
    [
      'of other actions',
      actor('scoped', [permit('package:unlist', 'Acme.*')]),
      'This API key may not push packages, neither new ones nor new versions; it may unlist or relist packages that match Acme.*.',
    ],
    [
      'of an account without grants',
      actor('account', [], []),
      'The account of this API key is not granted package:pushversion. Ask an administrator to grant it',
    ],
    [
      'whose scopes outlived the grants',
      actor('scoped', [permit('package:pushnew', '*')], []),
      'The account of this API key is not granted package:pushnew. Ask an administrator to grant it',
    ],
    ['that may push something', actor('scoped', [permit('package:pushversion', 'Acme.*')]), undefined],
  ])('%s that can push nothing at all is known before the package is', (_name, who, text) => {
    expect(findPushRefusal(who)?.detail).toBe(text);
  });

  it('of another owner names service accounts, and no person: build logs are often public', () => {
    const who = actor('account', []);
    const other = { ...who, key: { ...who.key, ownerId: 'acc_2' } };
    const service = { ...who.account, id: 'acc_2', kind: 'service' as const, login: 'build-robot' };
    const texts = [
      refusalOfOwner(who, who.account, 'Acme.Tool').detail,
      refusalOfOwner(other, service, 'Acme.Tool').detail,
      refusalOfOwner(other, { ...service, kind: 'user', login: 'eve@example.com' }, 'Acme.Tool').detail,
      refusalOfOwner(other, null, 'Acme.Tool').detail,
    ];
    expect(texts.map((text) => /^This API key acts for (.+), which is not/.exec(text)?.[1])).toEqual([
      'its own account',
      'build-robot',
      'another account',
      'another account',
    ]);
    expect(texts.join()).not.toMatch(/Ada|@/);
  });

  it('fits into a reason phrase with the id in it, however many and long the patterns are', () => {
    const long = Array.from({ length: 100 }, (_, index) => `${'P'.repeat(120)}${index}*`);
    const id = `${'I'.repeat(99)}X`;
    for (const who of [
      actor('scoped', [permit('package:push', ...long)]),
      actor('account', [], [permit('package:push', ...long)]),
    ]) {
      const text = tell(who, 'package:pushnew', id) ?? '';
      expect(text.length).toBeLessThanOrEqual(512);
      expect(text).toContain(id);
      expect(text).toMatch(/and \d+ more/);
    }
    const everything = ['package:pushnew', 'package:pushversion'].map((action) => permit(action, ...long));
    const phrase = findScopeRefusal(actor('scoped', everything), 'package:unlist', id);
    expect(phrase === null ? '' : toReasonPhrase(phrase)).toMatch(/^This API key may not unlist or relist/);
  });

  it.each(['Acme400.Tool', 'V401', 'X409Y', 'Acme.403'])(
    'tells clients no status that it is not, for the id %s',
    (id) => {
      const refusal = findScopeRefusal(
        actor('scoped', [permit('package:push', 'Other.*')]),
        'package:pushnew',
        id,
      );
      const phrase = refusal === null ? '' : toReasonPhrase(refusal);
      expect(phrase).not.toMatch(/400|401|409/);
      expect(refusal?.detail).toContain(id);
    },
  );

  it('has a title without digits for every reason of the gallery', () => {
    for (const make of Object.values(packageErrors)) expect(make().entry.title).not.toMatch(/\d/);
  });
});
