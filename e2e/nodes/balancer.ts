import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, sleep } from '../server-process.ts';
import { openProgramFolder, startUnprivileged } from './programs.ts';
import { openAgent, send } from './wire.ts';

export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * nginx of Debian in front of all nodes: a node that takes no connection is passed over.
 *
 * @param passesOver false for one that hands each failure of a node on to its client
 */
export async function startBalancer(nodeUrls: readonly string[], passesOver = true): Promise<Balancer> {
  const folder = openProgramFolder();
  const port = await freePort();
  const file = path.join(folder.path, 'nginx.conf');
  const temporary = folder.makePrivate('temporary');
  mkdirSync(path.join(folder.path, 'logs'));
  writeFileSync(
    file,
    `daemon off; pid ${temporary}/pid; error_log stderr crit; worker_processes 1;
events { worker_connections 512; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${temporary}/${kind};`).join('\n  ')}
  upstream nodes {
    ${nodeUrls.map((url) => `server ${new URL(url).host} max_fails=0;`).join('\n    ')}
    keepalive 16;
    keepalive_timeout 1s;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_next_upstream ${passesOver ? 'error timeout http_503 non_idempotent' : 'off'};
    }
  }
}
`,
  );
  const program = await startUnprivileged(
    '/usr/sbin/nginx',
    ['-p', folder.path, '-c', file, '-e', 'stderr'],
    {
      cwd: folder.path,
      port,
    },
  );
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await program.end('SIGTERM');
      folder.remove();
    },
  };
}

export interface LoadReport {
  readonly requests: number;
  /** Answers other than "valid" by their status, and connections that broke. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface LoadShape {
  readonly callers: number;
  readonly requestsMin: number;
  /** Of each caller between two requests; none when it is left out. */
  readonly pauseMs?: number;
}

/** Asks again and again whether the key is good, until the work is done and so many requests were answered. */
export async function loadDuring(
  url: string,
  fullKey: string,
  { callers, requestsMin, pauseMs = 0 }: LoadShape,
  work: () => Promise<void>,
): Promise<LoadReport> {
  const agent = openAgent(callers);
  const failures: Record<string, number> = {};
  const progress = { requests: 0, isOver: false };
  const headers = { authorization: `Bearer ${fullKey}` };
  const ask = async () => {
    while (!progress.isOver || progress.requests < requestsMin) {
      const answer = await send(agent, url, { method: 'GET', path: '/v1/authorize', headers }).catch(String);
      progress.requests += 1;
      const word = typeof answer === 'string' ? answer : String(answer.status);
      if (word !== '204') failures[word] = (failures[word] ?? 0) + 1;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  const loops = Array.from({ length: callers }, ask);
  try {
    await work();
  } finally {
    progress.isOver = true;
    await Promise.all(loops);
    agent.destroy();
  }
  return { requests: progress.requests, failures };
}
