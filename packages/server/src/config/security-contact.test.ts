import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './load.ts';

function read(contact: string, policy = '') {
  try {
    const environment = { KEYREEVE_SECURITY_CONTACT: contact, KEYREEVE_SECURITY_POLICY: policy };
    return loadConfig(environment).securityContact;
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('the contact for reports about security', () => {
  it('takes e-mail and https addresses, in the order given', () => {
    expect(read('security@example.com, mailto:it@example.com,https://example.com/report')).toEqual({
      addresses: ['mailto:security@example.com', 'mailto:it@example.com', 'https://example.com/report'],
      policyUrl: null,
    });
    expect(read('')).toEqual({ addresses: [], policyUrl: null });
  });

  it.each([
    'http://example.com/report',
    'javascript:alert(1)',
    'somebody',
    'tel:+1',
    'https://a:b@example.com/',
  ])('cannot be %s', (text) =>
    expect(read(text)).toEqual([expect.stringContaining('KEYREEVE_SECURITY_CONTACT must hold')]),
  );

  it('cannot add lines to the file', () => {
    expect(read('https://example.com/a\nHiring: https://evil.example')).toEqual({
      addresses: ['https://example.com/aHiring:%20https://evil.example'],
      policyUrl: null,
    });
    expect(read('security@example.com\r\nHiring: x')).toEqual([expect.stringContaining('must hold')]);
  });

  it('has at most 5 addresses', () => {
    const addresses = Array.from({ length: 6 }, (_, index) => `a${index}@example.com`);
    expect(read(addresses.join(','))).toEqual([expect.stringContaining('more than 5')]);
  });

  it('has a policy over https only, and only beside a contact', () => {
    expect(read('a@example.com', 'https://example.com/policy')).toMatchObject({
      policyUrl: 'https://example.com/policy',
    });
    expect(read('a@example.com', 'http://example.com/policy')).toEqual([
      expect.stringContaining('KEYREEVE_SECURITY_POLICY must be an address like https:'),
    ]);
    expect(read('', 'https://example.com/policy')).toEqual([
      expect.stringContaining('KEYREEVE_SECURITY_POLICY needs KEYREEVE_SECURITY_CONTACT'),
    ]);
  });
});
