import { Agent, request } from 'node:http';

/** A request as it goes over the wire. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An answer with the instants between which it was made, on the monotonic clock of this process. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly startedAtMs: number;
  /** When the head of the answer had come. */
  readonly answeredAtMs: number;
}

/** Only against a hang: what is promised about waits is held by those who ask. */
const TIMEOUT_MS = 30_000;

/** Connections that are kept, so that a request starts when it is sent and not when a connection is made. */
export function openAgent(connectionsMax: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: connectionsMax });
}

/** @throws the error of the connection when there is no answer */
export async function send(agent: Agent, url: string, call: Call): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const { method, path, headers = {}, body } = call;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const startedAtMs = performance.now();
    const sent = request(
      `${url}${path}`,
      { agent, method, headers: { ...headers, ...length } },
      (response) => {
        const answeredAtMs = performance.now();
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            startedAtMs,
            answeredAtMs,
          }),
        );
      },
    );
    sent.setTimeout(TIMEOUT_MS, () => sent.destroy(new Error(`${path} had no answer in ${TIMEOUT_MS} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

export function asJson(value: unknown): Pick<Call, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function asForm(fields: Readonly<Record<string, string>>): Pick<Call, 'headers' | 'body'> {
  return {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  };
}
