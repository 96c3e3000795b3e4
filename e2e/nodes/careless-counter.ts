import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

export interface CarelessCounter {
  readonly urls: readonly string[];
  close(): Promise<void>;
}

/**
 * The negative control of quotas: servers over one database that first look how many uses are left, and then write that
 * there is one fewer. Answers have the codes of `/v1/keys/verify`.
 */
export async function startCarelessCounter(
  databaseUrl: string,
  uses: number,
  servers: number,
): Promise<CarelessCounter> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query('create table careless_counter (remaining integer not null)');
  await pool.query('insert into careless_counter values ($1)', [uses]);
  const use = async (): Promise<string> => {
    const { rows } = await pool.query<{ remaining: number }>('select remaining from careless_counter');
    const remaining = rows[0]?.remaining ?? 0;
    if (remaining === 0) return 'quota_exceeded';
    await pool.query('update careless_counter set remaining = $1', [remaining - 1]);
    return 'valid';
  };
  const listening = await Promise.all(
    Array.from({ length: servers }, async () => {
      const server = createServer((_request, response) => {
        void use().then((code) => response.end(JSON.stringify({ code })));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  return {
    urls: listening.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: async () => {
      for (const server of listening) server.close();
      await pool.end();
    },
  };
}
