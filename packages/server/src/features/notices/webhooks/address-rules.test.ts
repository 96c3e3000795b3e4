import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createAddressRules, type WebhookTarget } from './address-rules.ts';

const OWN = { host: '127.0.0.1', port: 8080 };
const rules = createAddressRules({ allowedNetworks: [], ports: [80, 443], own: OWN });

function targetOf(port = 443, isTls = true): WebhookTarget {
  return { url: 'https://hooks.example/', isTls, host: 'hooks.example', port, path: '/' };
}

describe('the address of a webhook', () => {
  it('is read once, into the parts that the connection is made of', () => {
    expect(rules.read('https://Hooks.Example:443/a b?token=x')).toEqual({
      url: 'https://hooks.example/a%20b?token=x',
      isTls: true,
      host: 'hooks.example',
      port: 443,
      path: '/a%20b?token=x',
    });
    expect(rules.read('https://[2606:4700::1111]/')).toMatchObject({ host: '2606:4700::1111', port: 443 });
  });

  // WHATWG reads a backslash as a slash; other parsers would go to 127.0.0.1 as the user evil.test.
  it('goes to the host that it names, however it is spelled', () => {
    expect(rules.read('https://evil.test\\@127.0.0.1/')).toMatchObject({
      host: 'evil.test',
      path: '/@127.0.0.1/',
    });
  });

  it.each([
    ['', 'unreadable'],
    ['hooks.example', 'unreadable'],
    ['https://', 'unreadable'],
    ['https://[fe80::1%25eth0]/', 'unreadable'],
    ['http://hooks.example/', 'scheme'],
    ['ftp://hooks.example/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://hooks.example/', 'scheme'],
    ['https://user@hooks.example/', 'credentials'],
    ['https://:word@hooks.example/', 'credentials'],
    ['https://hooks.example/#part', 'credentials'],
    ['https://hooks.example:22/', 'port'],
    ['https://hooks.example:5432/', 'port'],
    ['https://hooks.example:8443/', 'port'],
  ])('is refused as %s: %s', (text, fault) => {
    expect(rules.read(text)).toBe(fault);
  });

  it.each([
    'https://0x7f.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://①②⑦.⓪.⓪.①/',
    'https://0/',
    'https://127.0.0.1./',
    'https://[::]/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::7f00:1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00:ec2::254]/',
    'https://100.100.100.200/',
  ])('is refused as %s, which is no public network', (text) => {
    expect(rules.read(text)).toBe('network');
  });
});

/** First and last of each range, and the neighbours outside of it where they are public. */
const REFUSED = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '239.255.255.255'],
  ['240.0.0.0', '255.255.255.255'],
  ['::', '::1'],
  ['::ffff:0:0', '::ffff:255.255.255.255'],
  ['64:ff9b::', '64:ff9b::ffff:ffff'],
  ['100::', '100::ffff'],
  ['2001::', '2001:1ff:ffff::'],
  ['2001:db8::', '2001:db8:ffff::'],
  ['2002::', '2002:ffff::'],
  ['3fff::', '3fff:fff::'],
  ['5f00::', '5fff::'],
  ['fc00::', 'fdff:ffff::'],
  ['fe80::', 'febf:ffff::'],
  ['fec0::', 'feff:ffff::'],
  ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
].flat();
const PUBLIC = [
  '1.0.0.0',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '8.8.8.8',
  '2001:200::',
  '2001:4860:4860::8888',
  '2606:4700::1111',
  '3ffe::',
];

describe('a connection of a webhook', () => {
  it.each(REFUSED)('is never made to %s', (address) => {
    expect(rules.mayConnect(targetOf(), address)).toBe(false);
  });

  it.each(PUBLIC)('may be made to %s', (address) => {
    expect(rules.mayConnect(targetOf(), address)).toBe(true);
  });

  it.each(['', 'hooks.example', '8.8.8', '8.8.8.8.', 'fe80::1%eth0', '2606:4700::1111%eth0x y'])(
    'is not made to "%s", which is no address',
    (address) => {
      expect(rules.mayConnect(targetOf(), address)).toBe(false);
    },
  );
});

describe('a network that the operator allows', () => {
  const open = createAddressRules({
    allowedNetworks: ['10.1.0.0/16', 'fd00:1::/32', '127.0.0.0/8'],
    ports: [80, 443, 8080, 9000],
    own: OWN,
  });

  it('is reached, also over plain http, and nothing beside it', () => {
    expect(open.read('http://10.1.2.3/hook')).toMatchObject({ isTls: false, port: 80, host: '10.1.2.3' });
    expect(open.read('https://10.1.2.3:9000/')).toMatchObject({ port: 9000 });
    expect(open.read('https://[fd00:1::5]/')).toMatchObject({ host: 'fd00:1::5' });
    expect(open.read('https://[::ffff:10.1.2.3]/')).toMatchObject({ host: '::ffff:a01:203' });
    expect(open.read('http://10.2.0.1/')).toBe('network');
    expect(open.read('https://[fd00:2::5]/')).toBe('network');
    expect(open.read('https://169.254.169.254/')).toBe('network');
  });

  it('is the only one that is reached over plain http', () => {
    expect(open.read('http://8.8.8.8/')).toBe('network');
    expect(open.read('http://hooks.example/')).toMatchObject({ host: 'hooks.example' });
    expect(open.mayConnect(targetOf(80, false), '8.8.8.8')).toBe(false);
    expect(open.mayConnect(targetOf(80, false), '10.1.0.1')).toBe(true);
    expect(open.mayConnect(targetOf(), '8.8.8.8')).toBe(true);
  });

  it('never holds this server itself, by whichever address of the machine', () => {
    const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    const everything = createAddressRules({
      allowedNetworks: ['0.0.0.0/0', '::/0'],
      ports: [8080],
      own: { host: '203.0.113.7', port: 8080 },
    });
    const addresses = [
      '127.0.0.1',
      '127.8.8.8',
      '0.0.0.0',
      '::1',
      '::',
      '::ffff:127.0.0.1',
      '203.0.113.7',
      ...own.map((entry) => entry.address),
    ];
    for (const address of addresses)
      expect(everything.mayConnect(targetOf(8080), address), address).toBe(false);
    expect(everything.mayConnect(targetOf(9000), '127.0.0.1')).toBe(true);
    expect(everything.mayConnect(targetOf(8080), '203.0.113.8')).toBe(true);
    expect(open.read('http://127.0.0.1:8080/')).toBe('network');
    expect(open.read('http://127.0.0.1:9000/')).toMatchObject({ port: 9000 });
  });
});
