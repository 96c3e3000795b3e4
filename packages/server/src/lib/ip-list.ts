import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Turns `10.0.0.0/8`, `2001:db8::/32` or a bare address into a form that can be stored, or null. */
export function parseCidr(text: string): { address: string; prefixBits: number } | null {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return null;
  const bitsMax = family === 4 ? 32 : 128;
  if (bits === undefined) return { address, prefixBits: bitsMax };
  if (!/^\d{1,3}$/.test(bits)) return null;
  const prefixBits = Number(bits);
  return prefixBits <= bitsMax ? { address, prefixBits } : null;
}

/** Lists that were asked about, for as long as somebody keeps their ranges; null where one cannot be read. */
const compiled = new WeakMap<readonly string[], BlockList | null>();

function compile(ranges: readonly string[]): BlockList | null {
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parseCidr(range);
    if (parsed === null) return null;
    list.addSubnet(parsed.address, parsed.prefixBits, isIPv4(parsed.address) ? 'ipv4' : 'ipv6');
  }
  return list;
}

/** True when the address lies in one of the ranges. An address that cannot be read is in none: fail closed. */
export function isIpInRanges(ip: string, ranges: readonly string[]): boolean {
  if (isIP(ip) === 0) return false;
  let list = compiled.get(ranges);
  if (list === undefined) {
    list = compile(ranges);
    compiled.set(ranges, list);
  }
  return list?.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6') === true;
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
