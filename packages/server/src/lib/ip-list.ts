import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Turns `10.0.0.0/8`, `2001:db8::/32` or a bare address into a form that can be stored, or null. */
export function parseCidr(text: string): { address: string; prefixBits: number } | null {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  // A zone (`%eth0`) names a network card of one machine; no list can mean it.
  if (family === 0 || address.includes('%') || rest.length > 0) return null;
  const bitsMax = family === 4 ? 32 : 128;
  if (bits === undefined) return { address, prefixBits: bitsMax };
  if (!/^\d{1,3}$/.test(bits)) return null;
  const prefixBits = Number(bits);
  return prefixBits <= bitsMax ? { address, prefixBits } : null;
}

/** Lists that were asked about, for as long as somebody keeps their ranges; null where one cannot be read. */
const compiled = new WeakMap<readonly string[], IpLists | null>();

/** Apart, since a `BlockList` takes an IPv4 address for one of the ranges of IPv6 as well: `::/0` would let in all. */
interface IpLists {
  readonly v4: BlockList;
  readonly v6: BlockList;
}

const MAPPED = new BlockList();
const MAPPED_BITS = 96;
MAPPED.addSubnet('::ffff:0:0', MAPPED_BITS, 'ipv6');

/** The IPv4 address that an IPv6 one spells (`::ffff:10.0.0.1`), or null. */
function toMappedIPv4(address: string): string | null {
  // The one spelling of the URL standard, whatever this one is.
  const [, high, low] =
    /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(new URL(`http://[${address}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return null;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}

function compile(ranges: readonly string[]): IpLists | null {
  const lists = { v4: new BlockList(), v6: new BlockList() };
  for (const range of ranges) {
    const parsed = parseCidr(range);
    if (parsed === null) return null;
    const { address, prefixBits } = parsed;
    const mapped = isIPv6(address) && prefixBits >= MAPPED_BITS ? toMappedIPv4(address) : null;
    if (mapped !== null) lists.v4.addSubnet(mapped, prefixBits - MAPPED_BITS, 'ipv4');
    else if (isIPv4(address)) lists.v4.addSubnet(address, prefixBits, 'ipv4');
    else lists.v6.addSubnet(address, prefixBits, 'ipv6');
  }
  return lists;
}

/** True when the address lies in one of the ranges. An address that cannot be read is in none: fail closed. */
export function isIpInRanges(ip: string, ranges: readonly string[]): boolean {
  if (isIP(ip) === 0) return false;
  let lists = compiled.get(ranges);
  if (lists === undefined) {
    lists = compile(ranges);
    compiled.set(ranges, lists);
  }
  if (lists === null) return false;
  if (isIPv4(ip)) return lists.v4.check(ip, 'ipv4');
  return (MAPPED.check(ip, 'ipv6') ? lists.v4 : lists.v6).check(ip, 'ipv6');
}

/** Whoever has one IPv6 address usually has the other 2^64 of its network too, so they count as one. */
export function toNetwork(ip: string | null): string {
  if (ip === null) return 'unknown';
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(ip);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const whole = [
    ...groups,
    ...Array.from({ length: missing }, () => '0'),
    ...(tail === undefined || tail === '' ? [] : tail.split(':')),
  ];
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** The neighbourhood of an address: /24, for IPv6 /48. Providers hand out addresses from such ranges. */
export function ipRangeOf(ip: string): string {
  const network = toNetwork(ip);
  if (!network.includes(':')) return `${network.split('.').slice(0, 3).join('.')}.0/24`;
  return `${network.split(':').slice(0, 3).join(':')}::/48`;
}
