import { describe, expect, it } from 'vitest';
import { isIpInRanges, parseCidr, toNetwork } from './ip-list.ts';

describe('parseCidr', () => {
  it.each([
    ['10.0.0.0/8', { address: '10.0.0.0', prefixBits: 8 }],
    ['192.0.2.7', { address: '192.0.2.7', prefixBits: 32 }],
    ['0.0.0.0/0', { address: '0.0.0.0', prefixBits: 0 }],
    ['2001:db8::/32', { address: '2001:db8::', prefixBits: 32 }],
    ['::1', { address: '::1', prefixBits: 128 }],
  ])('reads %s', (text, expected) => expect(parseCidr(text)).toEqual(expected));

  it.each([
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/ 8',
    '10.0.0.0/8.0',
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.0.0.256',
    'localhost',
    '*',
    'example.com/8',
    '10.0.0.0/1e1',
    'fe80::1%eth0',
    'fe80::%1/10',
  ])('refuses %j', (text) => expect(parseCidr(text)).toBeNull());
});

describe('isIpInRanges', () => {
  it('is true for addresses of the range and for no neighbour', () => {
    expect(isIpInRanges('10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(isIpInRanges('11.0.0.0', ['10.0.0.0/8'])).toBe(false);
    expect(isIpInRanges('192.0.2.128', ['192.0.2.0/25'])).toBe(false);
    expect(isIpInRanges('192.0.2.127', ['192.0.2.0/25'])).toBe(true);
    expect(isIpInRanges('2001:db8:0:1::5', ['2001:db8::/32'])).toBe(true);
    expect(isIpInRanges('2001:db9::5', ['2001:db8::/32'])).toBe(false);
    expect(isIpInRanges('192.0.2.8', ['10.0.0.0/8', '192.0.2.8'])).toBe(true);
  });

  it('takes the IPv6 spelling of an IPv4 address for that address', () => {
    expect(isIpInRanges('::ffff:10.1.2.3', ['10.0.0.0/8'])).toBe(true);
    expect(isIpInRanges('::ffff:11.1.2.3', ['10.0.0.0/8'])).toBe(false);
    for (const ip of ['::FFFF:0a01:0203', '0:0:0:0:0:ffff:10.1.2.3']) {
      expect(isIpInRanges(ip, ['10.0.0.0/8'])).toBe(true);
      expect(isIpInRanges(ip, ['11.0.0.0/8'])).toBe(false);
    }
    for (const range of ['::ffff:10.0.0.0/104', '::ffff:a00:0/104']) {
      expect(isIpInRanges('10.1.2.3', [range])).toBe(true);
      expect(isIpInRanges('11.1.2.3', [range])).toBe(false);
    }
    // Others that only look like it.
    for (const ip of ['::10.1.2.3', '64:ff9b::10.1.2.3', '2002:a01:203::'])
      expect(isIpInRanges(ip, ['10.0.0.0/8'])).toBe(false);
  });

  it('never lets all of IPv4 stand for IPv6 addresses', () => {
    expect(isIpInRanges('2001:db8::1', ['0.0.0.0/0'])).toBe(false);
    expect(isIpInRanges('2001:db8::1', ['::ffff:0:0/96'])).toBe(false);
  });

  it('never lets all of IPv6 stand for IPv4 addresses, in whichever spelling', () => {
    for (const range of ['::/0', '::/64', '::/80'])
      for (const ip of ['10.1.2.3', '::ffff:10.1.2.3']) expect(isIpInRanges(ip, [range])).toBe(false);
    expect(isIpInRanges('2001:db8::1', ['::/0'])).toBe(true);
  });

  it('looks past the zone of an address, which names a network card of one machine', () => {
    expect(isIpInRanges('fe80::1%eth0', ['fe80::/10'])).toBe(true);
    expect(isIpInRanges('fe80::1%eth0', ['2001:db8::/32'])).toBe(false);
  });

  it('fails closed: an unreadable address or range lets nobody in', () => {
    for (const ip of ['', 'unknown', 'localhost', '10.0.0.1, 10.0.0.2', '10.0.0.1:80', '[::1]'])
      expect(isIpInRanges(ip, ['0.0.0.0/0', '::/0'])).toBe(false);
    expect(isIpInRanges('10.0.0.1', [])).toBe(false);
    expect(isIpInRanges('10.0.0.1', ['nonsense', '10.0.0.0/8'])).toBe(false);
  });
});

describe('an address that is counted', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s counts as %s', (ip, network) => {
    expect(toNetwork(ip)).toBe(network);
  });
});
