import { randomBytes } from 'node:crypto';
import { type Person, signIn } from '../console.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN } from '../server-process.ts';

/** Several processes of the server over one database, as on as many machines. */
export interface Cluster {
  readonly nodes: readonly ServerProcess[];
  readonly urls: readonly string[];
  /** The administrator, signed in once; the session is good at every node. */
  readonly admin: Person;
  /** Stops the node with SIGTERM and starts it again at the same port, from then on with this environment too. */
  restart(index: number, env?: Readonly<Record<string, string>>): Promise<void>;
  /** The same after SIGKILL. */
  crash(index: number): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** The database as each node reaches it. */
  readonly env: Readonly<Record<string, string>>;
  /** What is different at each node. */
  readonly envOf?: (index: number) => Readonly<Record<string, string>>;
  readonly nodeCount?: number;
}

export async function startCluster({
  env,
  envOf = () => ({}),
  nodeCount = 3,
}: ClusterOptions): Promise<Cluster> {
  const place = openWorkplace();
  let shared = {
    ...WITH_ADMIN,
    KEYREEVE_MASTER_KEY: randomBytes(32).toString('base64'),
    // One deployment has one address: it is the issuer of its tokens, whichever node signs them.
    KEYREEVE_PUBLIC_URL: 'http://localhost:8080',
    KEYREEVE_LOG_LEVEL: 'error',
    ...env,
  };
  const startNode = (index: number, port?: number) =>
    place.start({
      data: `node-${index}`,
      env: { ...shared, ...envOf(index) },
      ...(port === undefined ? {} : { port }),
    });
  try {
    // The first makes the schema and the administrator.
    const nodes = [await startNode(0)];
    nodes.push(
      ...(await Promise.all(Array.from({ length: nodeCount - 1 }, (_, index) => startNode(index + 1)))),
    );
    const urls = nodes.map(({ port }) => `http://127.0.0.1:${port}`);
    const admin = await signIn(urls[0] ?? '');
    const replace = async (index: number, end: 'stop' | 'kill'): Promise<void> => {
      const old = nodes[index];
      if (old === undefined) throw new Error(`There is no node ${index}.`);
      await old[end]();
      nodes[index] = await startNode(index, old.port);
    };
    return {
      nodes,
      urls,
      admin,
      restart: async (index, changes = {}) => {
        shared = { ...shared, ...changes };
        await replace(index, 'stop');
      },
      crash: (index) => replace(index, 'kill'),
      close: () => place.close(),
    };
  } catch (error) {
    await place.close();
    throw error;
  }
}
