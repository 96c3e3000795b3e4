import { BlockList } from 'node:net';
import { type Config, ConfigError, type Environment, loadConfig } from '../../config/index.ts';
import { type Check, type Finding, fault, warning } from './check.ts';

/**
 * Reads the configuration as a start does. With faults in it, what is left is read without the variables that they
 * name, so that one fault does not hide the others; null when even that cannot be done, or would look at another
 * database than the one that is meant.
 */
export function readConfigFaults(environment: Environment): {
  readonly config: Config | null;
  readonly findings: readonly Finding[];
} {
  try {
    return { config: loadConfig(environment), findings: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const faulty = new Set(error.faults.map((text) => /^KEYREEVE_[A-Z_]+/.exec(text)?.[0] ?? ''));
    return { config: readRest(environment, faulty), findings: error.faults.map(toFinding) };
  }
}

const PLACES = ['KEYREEVE_DATA_DIR', 'KEYREEVE_DATABASE_URL', 'KEYREEVE_MASTER_KEY', 'KEYREEVE_BLOB_URL'];

function readRest(environment: Environment, faulty: ReadonlySet<string>): Config | null {
  if (PLACES.some((name) => faulty.has(name))) return null;
  const pairs = [
    ['KEYREEVE_TLS_CERT', 'KEYREEVE_TLS_KEY'],
    ['KEYREEVE_ADMIN_EMAIL', 'KEYREEVE_ADMIN_PASSWORD'],
  ];
  const left = new Set([...faulty, ...pairs.filter((pair) => pair.some((name) => faulty.has(name))).flat()]);
  try {
    return loadConfig(Object.fromEntries(Object.entries(environment).filter(([name]) => !left.has(name))));
  } catch {
    return null;
  }
}

function toFinding(text: string): Finding {
  const remedy = 'Correct the variable, or the .env file; docs/operations/configuration.md lists all.';
  if (text.includes('is not a setting')) return fault('config.unknown_setting', text, remedy);
  return fault(text.startsWith('KEYREEVE_TLS_') ? 'tls.unusable' : 'config.invalid', text, remedy);
}

const LARGEST_RANGE_BITS = 8;

/** Who is believed when he says where a request came from. */
export const proxyCheck: Check = {
  name: 'trusted proxies',
  run: async ({ config }) => {
    const findings: Finding[] = [];
    for (const range of config.trustProxy) {
      const [, bits] = range.split('/');
      if (bits === undefined || Number(bits) >= LARGEST_RANGE_BITS) continue;
      findings.push(
        fault(
          'proxy.trusts_everybody',
          `KEYREEVE_TRUST_PROXY contains ${range}: nearly everybody can claim any address, and IP allow lists and rate limits mean nothing.`,
          'Name the addresses of your proxies only.',
        ),
      );
    }
    const isBehindProxy = config.tls === null && config.publicUrl?.startsWith('https:') === true;
    if (isBehindProxy && config.trustProxy.length === 0) {
      findings.push(
        warning(
          'proxy.not_trusted',
          'The public URL is https and the server speaks http, so a proxy stands before it; but none is trusted, and every caller seems to have the address of the proxy.',
          'Set KEYREEVE_TRUST_PROXY to the address of the proxy.',
        ),
      );
    }
    return findings;
  },
};

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || LOOPBACK.check(bare) || (bare.includes(':') && LOOPBACK.check(bare, 'ipv6'));
}
