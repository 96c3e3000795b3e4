import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface CachingProxy {
  readonly port: number;
  close(): void;
}

const FORWARDED = ['authorization', 'content-type', 'x-nuget-apikey'] as const;

/** The negative control of revocations: whoever keeps answers for a second, as many gateways can be told to. */
export async function startCachingProxy(serverUrl: string, keptMs: number): Promise<CachingProxy> {
  const kept = new Map<
    string,
    { readonly status: number; readonly body: Buffer; readonly untilMs: number }
  >();
  const answer = async (request: IncomingMessage) => {
    const { method = '', url = '' } = request;
    const body = await buffer(request);
    const headers = Object.fromEntries(FORWARDED.map((name) => [name, String(request.headers[name] ?? '')]));
    const name = JSON.stringify([method, url, headers, body.toString('base64')]);
    const known = kept.get(name);
    if (known !== undefined && known.untilMs > performance.now()) return known;
    const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
    const response = await fetch(`${serverUrl}${url}`, {
      method,
      headers: sent,
      ...(body.length > 0 ? { body } : {}),
    });
    const said = {
      status: response.status,
      body: Buffer.from(await response.arrayBuffer()),
      untilMs: performance.now() + keptMs,
    };
    kept.set(name, said);
    return said;
  };
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) =>
      response.writeHead(status, status === 204 ? {} : { 'content-length': body.length }).end(body),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
