import type { ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import Type from 'typebox';
import { authErrors, type Principal, problemResponse, refTo } from '../../http/index.ts';
import { toIso } from '../../lib/clock.ts';
import type { RevocationHub, RevocationState, Subscriber } from './revocation-hub.ts';
import { RevocationEpochSchema } from './revocations.schema.ts';

const EVENT_STREAM = 'text/event-stream';
// A hundred events, that is, most of a minute, on top of what the system keeps for the connection.
const UNSENT_BYTES_MAX = 16 * 1024;

function presentState({
  workspaceId,
  epoch,
  readAtMs,
  at,
}: RevocationState): Static<typeof RevocationEpochSchema> {
  return { workspaceId, epoch, at: toIso(at), readAtMs: Math.floor(readAtMs) };
}

function toEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** All subscribers of a workspace are told the same text, so it is written once. */
const EVENTS = new WeakMap<RevocationState, string>();

function toEpochEvent(state: RevocationState): string {
  const known = EVENTS.get(state);
  if (known !== undefined) return known;
  const text = toEvent('epoch', presentState(state));
  EVENTS.set(state, text);
  return text;
}

type Reader = Extract<Principal, { kind: 'key' | 'token' }>;

/** @throws auth.kind_not_accepted */
function requireReader({ caller: { principal } }: FastifyRequest): Reader {
  if (principal.kind === 'key' || principal.kind === 'token') return principal;
  throw authErrors.kind_not_accepted();
}

/** Milliseconds UTC of the end of the secret and of the token, whichever is first; null when there is none. */
function findEnd(reader: Reader): number | null {
  const token = reader.kind === 'token' ? reader.token.expiresAt : null;
  const ends = [reader.key.expiresAt, token].filter((end) => end !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** @throws auth.kind_not_accepted */
function toSubscriber(request: FastifyRequest, raw: ServerResponse): Subscriber {
  const reader = requireReader(request);
  const { key, account } = reader;
  const { workspace } = request.caller;
  const tokenId = reader.kind === 'token' ? reader.token.jti : null;
  return {
    workspaceId: workspace.id,
    accountId: account.id,
    credentialId: JSON.stringify([key.id, key.generation, tokenId, request.caller.ip]),
    expiresAt: findEnd(reader),
    send: (state) => {
      if (raw.destroyed) return false;
      raw.write(toEpochEvent(state));
      return raw.writableLength <= UNSENT_BYTES_MAX;
    },
    readmit: async () => {
      await request.readmit();
      return findEnd(requireReader(request));
    },
    end: (isCut) => {
      if (isCut) raw.destroy();
      else raw.end();
    },
  };
}

const DESCRIPTION = [
  'For whoever keeps answers of `/v1/keys/verify`: they are true as long as the epoch is the one under which they were asked for.',
  `With \`Accept: ${EVENT_STREAM}\` the answer is a stream that does not end by itself. The event \`opened\` has \`openedAtMs\`; each event \`epoch\` is what is answered without that header. The present epoch comes first, each new one at once, and the same one again about every 480 ms. Events that come late are told by their \`readAtMs\`.`,
  'The stream ends when the key or token is revoked or expires, when its reader is too slow, and when the server stops.',
].join('\n\n');

/** What caches of answers about keys listen to. The rules of the SDK's are in docs/sdk/verification-cache.md. */
export function registerRevocationRoutes(root: FastifyInstance, hub: RevocationHub): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(RevocationEpochSchema);
  // Streams would keep the server from closing until they are cut.
  app.addHook('preClose', async () => hub.close());
  app.get(
    '/v1/revocations',
    {
      config: { auth: { kinds: ['key', 'token'], action: 'iam:keys:verify' } },
      schema: {
        operationId: 'watchRevocations',
        tags: ['verification'],
        summary: 'The revocation epoch of the workspace, once or as a stream',
        description: DESCRIPTION,
        response: {
          200: {
            description: 'The present epoch, or the stream.',
            content: {
              'application/json': { schema: refTo(RevocationEpochSchema) },
              [EVENT_STREAM]: { schema: Type.String() },
            },
          },
          default: problemResponse,
        },
      },
    },
    async (request, reply) => {
      const isStream = request.method === 'GET' && request.headers.accept?.includes(EVENT_STREAM) === true;
      if (!isStream) return presentState(await hub.read(request.caller.workspace.id));
      const { raw } = reply;
      const openedAtMs = Math.ceil(performance.now());
      const unsubscribe = hub.subscribe(toSubscriber(request, raw));
      reply.hijack();
      raw.on('close', unsubscribe);
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': `${EVENT_STREAM}; charset=utf-8`,
        // Proxies that compress or gather would deliver each event late, and late ones count for nothing.
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
        // A connection that is kept for further requests would outlive the end of its stream, and a stopping server
        // waits for it.
        connection: 'close',
      });
      raw.write(toEvent('opened', { openedAtMs }));
      return reply;
    },
  );
}
