import { buildApp } from '@keyreeve/server';
import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../lib/clock.ts';
import { writeSecurityTxt } from './security-txt.routes.ts';

const PATH = '/.well-known/security.txt';
const CONTACT = { addresses: ['mailto:security@keys.test', 'https://keys.test/report'], policyUrl: null };

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    environment: {
      KEYREEVE_PUBLIC_URL: 'https://keys.test',
      KEYREEVE_SECURITY_CONTACT: 'security@keys.test, https://keys.test/report',
      KEYREEVE_SECURITY_POLICY: 'https://keys.test/policy',
    },
  });
});
afterAll(() => harness.close());

describe('security.txt (RFC 9116)', () => {
  it('names contacts, an end in the future, its own address, languages and the policy', async () => {
    const answer = await call(harness, 'GET', PATH, { headers: { host: 'keys.test' } });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('public, max-age=86400');
    const expires = /^Expires: (.+)$/m.exec(answer.body)?.[1] ?? '';
    expect(answer.body).toBe(
      `Contact: mailto:security@keys.test\nContact: https://keys.test/report\nExpires: ${expires}\nPreferred-Languages: en, ja\nCanonical: https://keys.test/.well-known/security.txt\nPolicy: https://keys.test/policy\n`,
    );
    const aheadDays = (Date.parse(expires) - harness.clock.now()) / DAY_MS;
    expect(aheadDays).toBeGreaterThan(178);
    expect(aheadDays).toBeLessThan(365);
  });

  it('is never out of date, however long the server runs', async () => {
    harness.clock.advance(400 * DAY_MS);
    const { body } = await call(harness, 'GET', PATH, { headers: { host: 'keys.test' } });
    expect(Date.parse(/^Expires: (.+)$/m.exec(body)?.[1] ?? '')).toBeGreaterThan(harness.clock.now());
  });

  it('takes its address from the configuration, whatever the request says', async () => {
    const headers = { host: '127.0.0.1', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    const { body } = await call(harness, 'GET', PATH, { headers });
    expect(body).toContain('Canonical: https://keys.test/.well-known/security.txt\n');
    expect(body).not.toContain('evil');
  });

  it('answers HEAD like GET without a body, and 405 to a POST', async () => {
    const head = await harness.app.inject({ method: 'HEAD', url: PATH, headers: { host: 'keys.test' } });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    expect(head.headers['content-type']).toBe('text/plain; charset=utf-8');
    const post = await call(harness, 'POST', PATH, { headers: { host: 'keys.test' } });
    expect([post.statusCode, post.headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('does not exist, and says what is missing, where no contact was set', async () => {
    const { deps } = harness;
    const securityContact = { addresses: [], policyUrl: null };
    const app = await buildApp({ ...deps, config: { ...deps.config, securityContact } });
    const answer = await app.inject({ url: PATH, headers: { host: 'keys.test' } });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ detail: expect.stringContaining('KEYREEVE_SECURITY_CONTACT') });
  });

  it('claims no canonical address over http, which the RFC does not allow', () => {
    expect(writeSecurityTxt(CONTACT, 'http://localhost:8080', 0)).toBe(
      'Contact: mailto:security@keys.test\nContact: https://keys.test/report\nExpires: 1970-06-30T00:00:00Z\nPreferred-Languages: en, ja\n',
    );
  });
});
