import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../server-process.ts';
import { openProgramFolder, startUnprivileged } from './programs.ts';

export interface PgBouncer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** PgBouncer of Debian in front of a server, with few connections that every transaction takes anew. */
export async function startPgBouncer(databasePort: number, poolSize = 12): Promise<PgBouncer> {
  const folder = openProgramFolder();
  const port = await freePort();
  const file = path.join(folder.path, 'pgbouncer.ini');
  writeFileSync(
    file,
    [
      '[databases]',
      `keyreeve = host=127.0.0.1 port=${databasePort} dbname=keyreeve user=keyreeve`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      `default_pool_size = ${poolSize}`,
      // After a crash it would try the database again only every 15 seconds.
      'server_login_retry = 1',
      'ignore_startup_parameters = extra_float_digits',
      '',
    ].join('\n'),
  );
  const program = await startUnprivileged('/usr/sbin/pgbouncer', [file], { cwd: folder.path, port });
  return {
    port,
    url: `postgres://keyreeve@127.0.0.1:${port}/keyreeve`,
    close: async () => {
      await program.end('SIGINT');
      folder.remove();
    },
  };
}
