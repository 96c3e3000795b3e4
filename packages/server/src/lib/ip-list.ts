import { BlockList, isIP, isIPv4 } from 'node:net';

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

/** True when the address lies in one of the ranges. An address that cannot be read is in none: fail closed. */
export function isIpInRanges(ip: string, ranges: readonly string[]): boolean {
  if (isIP(ip) === 0) return false;
  const list = new BlockList();
  for (const range of ranges) {
    const parsed = parseCidr(range);
    if (parsed === null) return false;
    list.addSubnet(parsed.address, parsed.prefixBits, isIPv4(parsed.address) ? 'ipv4' : 'ipv6');
  }
  return list.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');
}
