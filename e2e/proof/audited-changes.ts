/** Where a server is, and who writes there. */
export interface Desk {
  readonly url: string;
  /** `name=value` of the session of an administrator. */
  readonly cookie: string;
  readonly accountId: string;
}

/** Makes, edits and deletes keys until it is over, and notes the request id of each change that was acknowledged. */
export async function writeChanges(
  { url, cookie, accountId }: Desk,
  acknowledged: string[],
  isOver: () => boolean,
): Promise<void> {
  const change = async (method: string, at: string, body?: object): Promise<string | null> => {
    try {
      const answer = await fetch(url + at, {
        method,
        headers: {
          cookie,
          'if-match': '*',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) return null;
      acknowledged.push(answer.headers.get('x-request-id') ?? '');
      return text;
    } catch {
      // The server was killed before it answered: then the change may be there or not.
      return null;
    }
  };
  for (let made = 0; !isOver(); made += 1) {
    const text = await change('POST', `/v1/accounts/${accountId}/keys`, {
      comment: `key ${made}`,
      access: 'account',
    });
    if (text === null) continue;
    const { apiKey } = JSON.parse(text) as { apiKey: string };
    if (!isOver()) await change('PATCH', `/v1/keys/${apiKey}`, { comment: `edited ${made}` });
    if (!isOver() && made % 2 === 0) await change('DELETE', `/v1/keys/${apiKey}`);
  }
}
