import { loadConfig } from '@keyreeve/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Company, call, seedCompany } from './company.ts';
import { type Harness, startHarness } from './harness.ts';

/** What mail software has read as other people, or other headers, than the writer meant. */
const BAD_ADDRESSES: readonly (readonly [name: string, address: string])[] = [
  ['a second header', 'ops@example.com\r\nBcc: eve@evil.test'],
  ['a second SMTP command', 'ops@example.com>\r\nRCPT TO:<eve@evil.test'],
  ['a line end', 'ops@example\n.com'],
  ['a quoted local part', '"eve@evil.test x"@example.com'],
  ['a comment', 'ops(eve@evil.test)@example.com'],
  ['two addresses', 'ops@example.com,eve@evil.test'],
  ['two addresses with a semicolon', 'ops@example.com;eve@evil.test'],
  ['a name', 'Ops <ops@example.com>'],
  ['a group', 'ops:eve@evil.test;'],
  ['an encoded word', '=?utf-8?q?eve=40evil.test=3e=00?=@example.com'],
  [
    '320 characters',
    `${'o'.repeat(64)}@${'d'.repeat(63)}.${'e'.repeat(63)}.${'f'.repeat(63)}.${'g'.repeat(63)}`,
  ],
];

let harness: Harness;
/** One that nobody has set up. */
let fresh: Harness;
let company: Company;
let keyId: string;

beforeAll(async () => {
  harness = await startHarness();
  fresh = await startHarness();
  company = await seedCompany(harness);
  const { key } = await harness.deps.keys.create(company.adminCaller, company.robot.id, {
    comment: 'CI',
    access: 'account',
  });
  keyId = key.id;
});
afterAll(() => Promise.all([harness.close(), fresh.close()]));

interface Place {
  readonly field: string;
  readonly ask: (address: string) => ReturnType<typeof call>;
}

const send = (method: 'POST' | 'PATCH', url: string, body: object) =>
  call(harness, method, url, { key: company.adminKey, body, headers: { 'if-match': '*' } });

const PLACES: Readonly<Record<string, Place>> = {
  'the invitation of a user': {
    field: 'email',
    ask: (email) => send('POST', '/v1/users', { email, displayName: 'New', role: 'member' }),
  },
  'a user': {
    field: 'email',
    ask: (email) => send('PATCH', `/v1/users/${company.stranger.id}`, { email }),
  },
  'a new service account': {
    field: 'email',
    ask: (email) =>
      send('POST', '/v1/service-accounts', { technicalName: 'new-robot', displayName: 'New', email }),
  },
  'a service account': {
    field: 'email',
    ask: (email) => send('PATCH', `/v1/service-accounts/${company.robot.id}`, { email }),
  },
  'a new key': {
    field: 'mailTo',
    ask: (mailTo) =>
      send('POST', `/v1/accounts/${company.robot.id}/keys`, { comment: 'x', access: 'account', mailTo }),
  },
  'a regenerated key': {
    field: 'mailTo',
    ask: (mailTo) => send('POST', `/v1/keys/${keyId}/regenerate`, { mailTo }),
  },
  'the support of a workspace': {
    field: 'supportEmail',
    ask: (supportEmail) => send('PATCH', '/v1/settings', { supportEmail }),
  },
  'the first administrator': {
    field: 'email',
    ask: async (email) => {
      const { workspaces, defaultWorkspace } = fresh.deps;
      const code = (await workspaces.issueSetupCode(defaultWorkspace.id)).reveal();
      const body = { code, email, displayName: 'First', password: 'lantern orchard seventeen' };
      return await call(fresh, 'POST', '/v1/setup', { body });
    },
  },
};

describe.each(Object.entries(PLACES))('the address of %s', (_place, { field, ask }) => {
  it.each(BAD_ADDRESSES)('is refused by name with %s, and nobody is written to', async (_name, address) => {
    const { storage } = harness.deps;
    const countMails = async () => (await storage.read.selectFrom('outbox').select('id').execute()).length;
    const before = await countMails();
    const answer = await ask(address);
    expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode, answer.body).toBeLessThan(500);
    const { errors } = answer.json<{ errors?: { field: string; message: string }[] }>();
    expect(errors, answer.body).toMatchObject([{ field }]);
    expect(errors?.[0]?.message).toMatch(/address|email|characters/);
    expect(await countMails()).toBe(before);
  });
});

it.each(['KEYREEVE_MAIL_FROM', 'KEYREEVE_ADMIN_EMAIL'])(
  'the address in %s is refused by name, and the server does not start',
  (name) => {
    for (const [, address] of BAD_ADDRESSES) {
      const environment = { KEYREEVE_ADMIN_PASSWORD: 'lantern orchard seventeen', [name]: address };
      expect(() => loadConfig(environment), address).toThrow(`${name} must be one plain e-mail address`);
    }
  },
);
