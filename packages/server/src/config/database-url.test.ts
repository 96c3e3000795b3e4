import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from './database-url.ts';
import { ConfigError, loadConfig } from './load.ts';

const KEYREEVE_MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig({ KEYREEVE_MASTER_KEY, ...environment });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('the address of PostgreSQL', () => {
  it('may name several servers, each with a port of its own', () => {
    const { hosts } = parseDatabaseUrl(
      'postgres://ada:p%40ss@db1.example.com:5433,[::1],db3/keys?sslmode=require',
    );
    expect(hosts).toEqual([
      {
        url: 'postgres://ada:p%40ss@db1.example.com:5433/keys?sslmode=require',
        name: 'db1.example.com:5433',
        port: 5433,
      },
      { url: 'postgres://ada:p%40ss@[::1]/keys?sslmode=require', name: '[::1]:5432', port: 5432 },
      { url: 'postgres://ada:p%40ss@db3/keys?sslmode=require', name: 'db3:5432', port: 5432 },
    ]);
  });

  it('may name none, as for a socket of the same machine', () => {
    const url = 'postgres:///keys?host=/var/run/postgresql';
    expect(parseDatabaseUrl(url)).toEqual({ hosts: [{ url, name: ':5432', port: 5432 }], faults: [] });
  });

  it('is told all that is wrong with it at once, and none of what may be its password', () => {
    const faults = faultsOf({
      KEYREEVE_DATABASE_URL: 'postgres://ada:se/cret@db1:99999,,db3:port/keys',
      KEYREEVE_DATABASE_LISTEN_URL: 'postgres://ada:secret@db1,db2/keys',
      KEYREEVE_DATABASE_OUTAGE: 'perhaps',
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      'KEYREEVE_DATABASE_OUTAGE',
      'KEYREEVE_DATABASE_URL',
      'KEYREEVE_DATABASE_LISTEN_URL',
    ]);
    expect(faults.join()).not.toMatch(/secret|se\/|cret/);
    expect(faultsOf({ KEYREEVE_DATABASE_URL: 'postgres://ada:secret@db1:99999,,db3:port/keys' })).toEqual([
      expect.stringContaining('has a port that is not a whole number'),
      'KEYREEVE_DATABASE_URL has an empty place in its list of servers.',
    ]);
  });

  it('is needed by the settings that are about it', () => {
    expect(faultsOf({ KEYREEVE_DATABASE_OUTAGE: 'serve', KEYREEVE_DATABASE_LISTEN_URL: 'none' })).toEqual([
      'KEYREEVE_DATABASE_LISTEN_URL needs PostgreSQL in KEYREEVE_DATABASE_URL.',
      'KEYREEVE_DATABASE_OUTAGE needs PostgreSQL in KEYREEVE_DATABASE_URL.',
    ]);
  });

  it('goes with `refuse` and listening at the primary unless something else is said', () => {
    const read = (environment: Record<string, string>) =>
      loadConfig({ KEYREEVE_MASTER_KEY, KEYREEVE_DATABASE_URL: 'postgres://db/keys', ...environment })
        .database;
    expect(read({})).toEqual({ engine: 'postgres', url: expect.anything(), outage: 'refuse' });
    const settings = { KEYREEVE_DATABASE_OUTAGE: 'serve', KEYREEVE_DATABASE_LISTEN_URL: 'none' };
    expect(read(settings)).toMatchObject({ outage: 'serve', listenUrl: 'none' });
  });
});
