import { BlockList, isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { parseCidr } from '../../../lib/ip-list.ts';

/** Where a webhook goes, read once: nothing later looks at the text again, so that no two parsers can differ. */
export interface WebhookTarget {
  /** The address in its one spelling. */
  readonly url: string;
  readonly isTls: boolean;
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
}

export type TargetFault = 'unreadable' | 'scheme' | 'credentials' | 'port' | 'network';

/** Decides where webhooks may go. Without I/O, but for the addresses of this machine. */
export interface AddressRules {
  /** Reads an address and checks what can be told without asking for the name. */
  read(text: string): WebhookTarget | TargetFault;
  /** May a connection go to this IP address? Asked for every address of a name, right before connecting. */
  mayConnect(target: WebhookTarget, address: string): boolean;
}

interface RuleOptions {
  readonly allowedNetworks: readonly string[];
  readonly ports: readonly number[];
  /** Where this server listens. */
  readonly own: { readonly host: string; readonly port: number };
}

/** IPv4 that is not on the public Internet (IANA special-purpose registry), or that is not one receiver. */
const REFUSED_IPV4 = [
  '0.0.0.0/8', // this network; 0.0.0.0 connects to this machine
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT, and metadata of some clouds
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local, and metadata of most clouds
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/**
 * IPv6 that is not public. The first three are all outside of 2000::/3, the only range that was ever given out:
 * `::`, `::1`, IPv4-mapped and -compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard, unique local,
 * link-local, site-local and multicast.
 */
const REFUSED_IPV6 = [
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which carries any IPv4 address
  '3fff::/20', // documentation
];

function toList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parseCidr(range);
    if (parsed === null) throw new Error(`${range} is not a range of addresses.`);
    list.addSubnet(parsed.address, parsed.prefixBits, familyOf(parsed.address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

// One list for each family: a list takes IPv4 addresses for the mapped ones of an IPv6 range.
const refusedIpv4 = toList(REFUSED_IPV4);
const refusedIpv6 = toList(REFUSED_IPV6);

function isPublic(address: string): boolean {
  return isIPv4(address)
    ? !refusedIpv4.check(address, 'ipv4')
    : !refusedIpv6.check(address, 'ipv6') && !refusedIpv4.check(address, 'ipv6');
}

/** Is it an address of this very machine? Read anew each time: networks come and go. */
function isOfThisMachine(address: string, host: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const list = toList(['127.0.0.0/8', '0.0.0.0/32', '::1/128', '::/128']);
  for (const entry of own) list.addAddress(entry.address, familyOf(entry.address));
  if (isIP(host) !== 0) list.addAddress(host, familyOf(host));
  return list.check(address, familyOf(address));
}

export function createAddressRules({ allowedNetworks, ports, own }: RuleOptions): AddressRules {
  const allowed = toList(allowedNetworks);

  const mayConnect: AddressRules['mayConnect'] = ({ isTls, port }, address) => {
    if (isIP(address) === 0) return false;
    if (port === own.port && isOfThisMachine(address, own.host)) return false;
    if (allowed.check(address, familyOf(address))) return true;
    return isTls && isPublic(address);
  };

  return {
    mayConnect,
    read: (text) => {
      const url = URL.canParse(text) ? new URL(text) : null;
      if (url === null) return 'unreadable';
      const isTls = url.protocol === 'https:';
      if (!isTls && !(url.protocol === 'http:' && allowedNetworks.length > 0)) return 'scheme';
      if (url.username !== '' || url.password !== '' || url.hash !== '') return 'credentials';
      const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
      if (!ports.includes(port)) return 'port';
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
      const target = { url: url.href, isTls, host, port, path: `${url.pathname}${url.search}` };
      return isIP(host) !== 0 && !mayConnect(target, host) ? 'network' : target;
    },
  };
}
