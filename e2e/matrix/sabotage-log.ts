import { type Deps, inTransaction } from '@keyreeve/server';
import type { World } from './credential.ts';
import { type Caller, replaced } from './sabotage.ts';

export interface LogSabotage {
  readonly name: string;
  /** A row that meets it. */
  readonly route: string;
  /** What the join of answers and log must say of at least one cell, and nothing else of any. */
  readonly wanted: RegExp;
  readonly change: (world: World) => Partial<Deps>;
}

/** Mistakes that a server may have with its audit log: none may pass the matrix. */
export const LOG_SABOTAGES: readonly LogSabotage[] = [
  {
    name: 'a key is disabled, and the log is silent',
    route: 'POST /v1/keys/:keyId/disable',
    wanted: /^POST .*: no row of the audit log tells of the change$/,
    change: (world) => {
      const { keys, storage } = world.harness.deps;
      const hush = (caller: Caller) =>
        inTransaction(storage, (tx) =>
          tx.deleteFrom('audit').where('request_id', '=', caller.requestId).execute(),
        );
      return {
        keys: replaced(keys, {
          disable: async (caller, keyId, reason) => {
            const key = await keys.disable(caller, keyId, reason);
            await hush(caller);
            return key;
          },
        }),
      };
    },
  },
  {
    name: 'what the door refuses is forgotten',
    route: 'GET /v1/users',
    wanted: /^(GET|HEAD) .*: no row of the audit log tells of the refusal$/,
    change: ({ harness }) => ({
      audit: replaced(harness.deps.audit, {
        countRefusal: () => undefined,
        countLateRefusal: () => undefined,
      }),
    }),
  },
  {
    name: 'what a service refuses is forgotten',
    route: 'DELETE /v1/service-accounts/:id',
    wanted: /^DELETE .*: no row of the audit log tells of the refusal$/,
    change: ({ harness }) => ({
      audit: replaced(harness.deps.audit, { countLateRefusal: () => undefined }),
    }),
  },
  {
    name: 'a look is told as a change',
    route: 'GET /v1/keys/:keyId',
    wanted: /: a row tells of key\.changed, and nothing has happened$/,
    change: ({ harness }) => {
      const { audit, keys, storage } = harness.deps;
      return {
        keys: replaced(keys, {
          get: async (caller, keyId) => {
            const key = await keys.get(caller, keyId);
            await inTransaction(storage, (tx) =>
              audit.record(tx, caller, { action: 'key.changed', target: { kind: 'key', id: keyId } }),
            );
            return key;
          },
        }),
      };
    },
  },
];
