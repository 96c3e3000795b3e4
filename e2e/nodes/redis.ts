import { freePort } from '../server-process.ts';
import { openProgramFolder, startUnprivileged } from './programs.ts';

export interface RedisServer {
  readonly url: string;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  close(): Promise<void>;
}

/** Redis of Debian that keeps nothing on disk. */
export async function startRedis(): Promise<RedisServer> {
  const folder = openProgramFolder();
  const port = await freePort();
  const flags = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  const program = await startUnprivileged('/usr/bin/redis-server', flags, { cwd: folder.path, port });
  return {
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void process.kill(program.pid, name),
    close: async () => {
      await program.end('SIGTERM');
      folder.remove();
    },
  };
}
