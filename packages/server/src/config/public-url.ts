import type { Config } from './config.ts';

/** The address of the default workspace; without one in the configuration, the machine itself. */
export function publicUrlOf(config: Pick<Config, 'tls' | 'publicUrl' | 'port'>): string {
  const scheme = config.tls === null ? 'http' : 'https';
  return config.publicUrl ?? `${scheme}://localhost:${config.port}`;
}
