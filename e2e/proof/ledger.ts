/** Where a server is, and who writes there. */
export interface Desk {
  readonly url: string;
  /** `name=value` of the session of an administrator. */
  readonly cookie: string;
  readonly accountId: string;
}

/**
 * What clients of a server were told, kept outside of it: each line is an acknowledged change. What was asked for and
 * never answered may have happened or not, and stands nowhere.
 */
export interface Ledger {
  /** Full keys that must be accepted from their answer on. */
  readonly live: string[];
  /** Full keys that must be refused from then on: deleted, disabled, or replaced. */
  readonly dead: string[];
  /** How often each status came instead of an acknowledgement. */
  readonly refusals: Map<number, number>;
  /** Acknowledged changes, those that lead to the same key each for itself. */
  changes: number;
}

export function openLedger(): Ledger {
  return { live: [], dead: [], refusals: new Map(), changes: 0 };
}

interface WriterOptions {
  readonly isOver: () => boolean;
  /**
   * Whether an answer still counts when `isOver`: after a kill it does, since it was sent before; after a cut of the
   * power it does not, since it may have been sent after the moment at which the disk was copied.
   */
  readonly countsLast: boolean;
  /** Told of an answer that is no acknowledgement, and of a connection that broke (status 0). */
  readonly onRefused: (status: number, text: string) => void | Promise<void>;
}

interface Minted {
  readonly apiKey: string;
  readonly fullKey: string;
}

/** Creates keys and deletes, regenerates or disables most of them again, and notes what was acknowledged. */
export async function writeKeys(desk: Desk, ledger: Ledger, options: WriterOptions): Promise<void> {
  const { isOver, countsLast, onRefused } = options;
  const change = async <Body>(method: string, path: string, body?: object): Promise<Body | null> => {
    if (isOver()) return null;
    try {
      const answer = await callDesk(desk, method, path, body);
      const text = await answer.text();
      if (isOver() && !countsLast) return null;
      if (!answer.ok) {
        ledger.refusals.set(answer.status, (ledger.refusals.get(answer.status) ?? 0) + 1);
        await onRefused(answer.status, text);
        return null;
      }
      ledger.changes += 1;
      return (text === '' ? {} : JSON.parse(text)) as Body;
    } catch (error) {
      await onRefused(0, String(error));
      return null;
    }
  };
  for (let made = 0; !isOver(); made += 1) {
    const comment = `key ${made}`;
    const key = await change<Minted>('POST', `/v1/accounts/${desk.accountId}/keys`, {
      comment,
      access: 'account',
    });
    if (key === null) continue;
    // From the request to its answer the key may be either; it is then in no list.
    switch (made % 4) {
      case 1:
        if ((await change('DELETE', `/v1/keys/${key.apiKey}`)) !== null) ledger.dead.push(key.fullKey);
        break;
      case 2: {
        const renewed = await change<Minted>('POST', `/v1/keys/${key.apiKey}/regenerate`, {});
        if (renewed === null) break;
        ledger.dead.push(key.fullKey);
        ledger.live.push(renewed.fullKey);
        break;
      }
      case 3:
        if ((await change('POST', `/v1/keys/${key.apiKey}/disable`, {})) !== null)
          ledger.dead.push(key.fullKey);
        break;
      default:
        ledger.live.push(key.fullKey);
    }
  }
}

export async function callDesk(desk: Desk, method: string, path: string, body?: object): Promise<Response> {
  return await fetch(`${desk.url}${path}`, {
    method,
    headers: {
      cookie: desk.cookie,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Whether the server accepts a full key. */
export async function isAccepted(url: string, fullKey: string): Promise<boolean> {
  const answer = await fetch(`${url}/v1/keys/self`, { headers: { authorization: `Bearer ${fullKey}` } });
  await answer.arrayBuffer();
  if (answer.status !== 200 && answer.status !== 401)
    throw new Error(`A key was answered with ${answer.status}.`);
  return answer.ok;
}

/** The lines of the ledger that the server does not know of. */
export async function findLost(url: string, ledger: Pick<Ledger, 'live' | 'dead'>): Promise<string[]> {
  const lost: string[] = [];
  for (const fullKey of ledger.live) if (!(await isAccepted(url, fullKey))) lost.push(fullKey);
  for (const fullKey of ledger.dead) if (await isAccepted(url, fullKey)) lost.push(fullKey);
  return lost;
}
