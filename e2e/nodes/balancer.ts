import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, sleep } from '../server-process.ts';
import { openProgramFolder, startUnprivileged } from './programs.ts';
import { openAgent, send } from './wire.ts';

export interface Balancer {
  readonly url: string;
  close(): Promise<void>;
}

/** nginx of Debian in front of all nodes: what a node fails to answer is asked of another one. */
export async function startBalancer(nodeUrls: readonly string[]): Promise<Balancer> {
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
      proxy_next_upstream error timeout http_503 non_idempotent;
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

const CHECK_MS = 100;
/** A node that has started again is asked only when it counts as ready; a busy machine may take its time over that. */
const SEEN_MS_MAX = 20_000;

export interface CheckingBalancer extends Balancer {
  /** Waits until it counts every node as ready. */
  untilAllServe(): Promise<void>;
}

/**
 * HAProxy of Debian in front of all nodes, as docs/operations/workers.md wants a balancer: it asks each node whether it is
 * ready, and sends each request once. Only what has found no connection goes to another node, so a node that drops a
 * request is seen by whoever has sent it.
 */
export async function startSendingOnce(nodeUrls: readonly string[]): Promise<CheckingBalancer> {
  const folder = openProgramFolder();
  const port = await freePort();
  const statusPort = await freePort();
  const file = path.join(folder.path, 'haproxy.conf');
  writeFileSync(
    file,
    `defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
  timeout check 2s
  retries 3
  retry-on conn-failure
  option redispatch 1
frontend all
  bind 127.0.0.1:${port}
  default_backend nodes
frontend status
  bind 127.0.0.1:${statusPort}
  stats enable
  stats uri /
backend nodes
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
  default-server check inter ${CHECK_MS} fall 1 rise 1
${nodeUrls.map((url, index) => `  server node-${index} ${new URL(url).host}`).join('\n')}
`,
  );
  const program = await startUnprivileged('/usr/sbin/haproxy', ['-db', '-f', file], {
    cwd: folder.path,
    port,
  });
  return {
    url: `http://127.0.0.1:${port}`,
    untilAllServe: async () => {
      const deadline = performance.now() + SEEN_MS_MAX;
      const countServing = async () => {
        const table = await (await fetch(`http://127.0.0.1:${statusPort}/;csv`)).text();
        return table.match(/^nodes,node-\d+,.*,UP,/gm)?.length ?? 0;
      };
      while ((await countServing()) < nodeUrls.length) {
        if (performance.now() > deadline) throw new Error('The balancer does not see every node.');
        await sleep(CHECK_MS);
      }
    },
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
