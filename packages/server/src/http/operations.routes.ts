import { BlockList, isIPv4 } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Registry } from 'prom-client';
import Type from 'typebox';
import { requestErrors } from '../errors/index.ts';
import { isEqualConstantTime } from '../lib/mac.ts';
import type { Secret } from '../lib/secret.ts';
import { problemResponse } from './problem.ts';
import type { RequestDurations } from './request-durations.ts';

export interface OperationsDeps {
  /** Resolves when the database answers; rejects otherwise. */
  readonly ping: () => Promise<void>;
  /** Whether the store of the package files answers. */
  readonly hasPackageFiles: () => Promise<boolean>;
  readonly durations: RequestDurations;
  readonly registerMetrics: (registry: Registry) => void;
  /** The metrics of several processes, where there are several. */
  readonly renderMetrics: (() => Promise<string>) | undefined;
  /** Whether the server was told to end: load balancers are to turn away from it. */
  readonly isStopping: () => boolean;
  readonly metricsToken: Secret | null;
}

const HealthSchema = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false });
const ReadinessSchema = Type.Object(
  {
    status: Type.Literal('ok'),
    packageFiles: Type.Union([Type.Literal('ok'), Type.Literal('unavailable')], {
      description:
        'The store of the package files. Without it keys are verified all the same, so the server stays ready.',
    }),
  },
  { additionalProperties: false },
);
const ANYBODY = { auth: { kinds: ['anonymous'], action: null } } as const;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** The peer itself must be on this machine; a forwarded address proves nothing. */
function isFromThisMachine(request: FastifyRequest): boolean {
  const address = request.socket.remoteAddress ?? '';
  return (
    address !== '' &&
    LOOPBACK.check(address, isIPv4(address) ? 'ipv4' : 'ipv6') &&
    request.headers['x-forwarded-for'] === undefined
  );
}

function mayReadMetrics(request: FastifyRequest, token: Secret | null): boolean {
  if (token === null) return isFromThisMachine(request);
  const presented = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return presented !== undefined && isEqualConstantTime(presented, token.reveal());
}

/** `/healthz` (the process lives), `/readyz` (it can do its work) and `/metrics` (Prometheus). */
export function registerOperationsRoutes(app: FastifyInstance, deps: OperationsDeps): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { durations } = deps;
  durations.register(registry);
  deps.registerMetrics(registry);
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, never the address: ids would make a series each.
    durations
      .series(request.routeOptions.url ?? 'none', request.method, reply.statusCode)
      .observe(reply.elapsedTime / 1000);
  });
  app.get(
    '/healthz',
    {
      config: ANYBODY,
      schema: {
        operationId: 'getHealth',
        tags: ['operations'],
        summary: 'Is the process alive?',
        response: { 200: HealthSchema, default: problemResponse },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      config: ANYBODY,
      schema: {
        operationId: 'getReadiness',
        tags: ['operations'],
        summary: 'Can it do its work?',
        response: { 200: ReadinessSchema, default: problemResponse },
      },
    },
    async () => {
      if (deps.isStopping())
        throw requestErrors.unavailable({
          detail: 'The server is about to stop.',
          headers: { 'retry-after': '1' },
        });
      try {
        await deps.ping();
      } catch (error) {
        throw requestErrors.unavailable({ headers: { 'retry-after': '1' }, cause: error });
      }
      const packageFiles = (await deps.hasPackageFiles()) ? ('ok' as const) : ('unavailable' as const);
      return { status: 'ok' as const, packageFiles };
    },
  );
  app.get('/metrics', { config: ANYBODY, schema: { hide: true } }, async (request, reply) => {
    if (!mayReadMetrics(request, deps.metricsToken))
      throw requestErrors.not_found({ detail: 'There is nothing at this address.' });
    const text = await (deps.renderMetrics ?? (() => registry.metrics()))();
    return await reply.type(registry.contentType).send(text);
  });
}
