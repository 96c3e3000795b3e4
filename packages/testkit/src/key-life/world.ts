import { type Caller, HOUR_MS } from '@keyreeve/server';
import { Secret } from '../../../server/src/lib/secret.ts';
import { type Company, seedCompany } from '../company.ts';
import { type Harness, startHarness } from '../harness.ts';
import type { Command } from './commands.ts';
import {
  ACTION,
  type Code,
  Model,
  type ModelKey,
  type ModelSecret,
  type Name,
  type Pattern,
  type Rule,
} from './model.ts';

const MONTH_MS = 30 * 24 * HOUR_MS;
const SECOND_MS = 1_000;
const TOKEN_LIFETIME_MS = HOUR_MS;
// Each batch has a database of its own: small tables, and a clock that stays in this age.
const LIVES_PER_SERVER = 1_500;

export interface LifeCounts {
  lives: number;
  /** After each, everything was compared. */
  steps: number;
  answers: number;
}

/** The server in which the lives are led: the services of the product on a real database. */
export interface LifeWorld {
  /** Leads one life; the first difference between product and model, or null. */
  lead(commands: readonly Command[], broken: Rule | null): Promise<string | null>;
  readonly counts: LifeCounts;
  close(): Promise<void>;
}

interface Place {
  readonly harness: Harness;
  readonly company: Company;
}

async function openPlace(): Promise<Place> {
  const harness = await startHarness();
  return { harness, company: await seedCompany(harness) };
}

const toScopes = (patterns: readonly Pattern[]) => [{ actions: [ACTION], resources: [...patterns] }];

export async function openLifeWorld(): Promise<LifeWorld> {
  let place = await openPlace();
  let onServer = 0;
  const counts: LifeCounts = { lives: 0, steps: 0, answers: 0 };
  return {
    counts,
    lead: async (commands, broken) => {
      if (onServer >= LIVES_PER_SERVER) {
        await place.harness.close();
        place = await openPlace();
        onServer = 0;
      }
      onServer += 1;
      counts.lives += 1;
      const life = new Life(place, await openAccount(place, counts.lives), broken);
      for (const [index, command] of commands.entries()) {
        const difference =
          (await life.perform(
            index === 0 ? { ...command, kind: 'create', patterns: ['A*'], lifetimeDays: 1 } : command,
          )) ?? (await life.compare(command.name));
        counts.steps += 1;
        if (difference !== null) {
          counts.answers += life.answers;
          return `step ${index + 1} (${command.kind}): ${difference}`;
        }
      }
      counts.answers += life.answers;
      return null;
    },
    close: () => place.harness.close(),
  };
}

async function openAccount({ harness }: Place, serial: number): Promise<string> {
  const account = await harness.createAccount({
    kind: 'service',
    technicalName: `life-${serial}`,
    displayName: 'Life',
    grants: toScopes(['*']),
  });
  return account.id;
}

class Life {
  readonly #place: Place;
  readonly #accountId: string;
  readonly #model: Model;
  answers = 0;

  constructor(place: Place, accountId: string, broken: Rule | null) {
    this.#place = place;
    this.#accountId = accountId;
    this.#model = new Model(broken);
  }

  get #now(): number {
    return this.#place.harness.clock.now();
  }

  get #caller(): Caller {
    return this.#place.company.adminCaller;
  }

  /** Does the command to both; what the product answered when the model expected something else. */
  async perform(command: Command): Promise<string | null> {
    const { keys } = this.#model;
    const key = keys[command.key % Math.max(1, keys.length)];
    if (command.kind === 'create') return await this.#create(command.patterns, command.lifetimeDays);
    if (command.kind === 'wait') return this.#wait(command.until);
    if (command.kind === 'grants' || command.kind === 'disable account' || command.kind === 'enable account')
      return await this.#changeAccount(command);
    if (key === undefined) return null;
    if (command.kind === 'get token' || command.kind === 'revoke')
      return await this.#useKey(command.kind, key);
    return await this.#changeKey(command, key);
  }

  async #create(patterns: readonly Pattern[], lifetimeDays: number): Promise<string | null> {
    const model = this.#model;
    if (model.keys.length === 3) return null;
    const { keys } = this.#place.harness.deps;
    const input = { comment: 'CI', access: 'scoped', scopes: toScopes(patterns), lifetimeDays } as const;
    const refusal = this.#refusalOfScopes(patterns);
    return await expecting(refusal, async () => {
      const minted = await keys.create(this.#caller, this.#accountId, input);
      model.create(minted.key.id, minted.fullKey.reveal(), patterns, lifetimeDays, this.#now);
    });
  }

  async #changeKey(command: Command, key: ModelKey): Promise<string | null> {
    const { keys } = this.#place.harness.deps;
    const [model, caller, now] = [this.#model, this.#caller, this.#now];
    const gone = key.isDeleted ? 'request.not_found' : null;
    const asleep = model.isAccountActive ? null : 'key.account_disabled';
    switch (command.kind) {
      case 'edit':
        return await expecting(gone ?? this.#refusalOfScopes(command.patterns), async () => {
          await keys.update(caller, key.id, { scopes: toScopes(command.patterns) }, null);
          model.edit(key, command.patterns);
        });
      case 'comment':
        return await expecting(gone, () => keys.update(caller, key.id, { comment: `at ${now}` }, null));
      case 'regenerate': {
        const { overlapHours } = command;
        const overlapRefusal =
          overlapHours > 0 && !model.isActive(key, now) ? 'key.overlap_not_allowed' : null;
        const refusal = gone ?? asleep ?? overlapRefusal ?? this.#refusalOfScopes(key.patterns);
        return await expecting(refusal, async () => {
          const minted = await keys.regenerate(caller, key.id, { overlapHours });
          model.regenerate(key, minted.fullKey.reveal(), overlapHours, now);
        });
      }
      case 'end overlap':
        return await expecting(gone ?? (model.hasOverlap(key, now) ? null : 'key.no_overlap'), async () => {
          await keys.endOverlap(caller, key.id);
          model.endOverlap(key);
        });
      case 'disable':
        return await expecting(gone, async () => {
          await keys.disable(caller, key.id, null);
          model.disable(key);
        });
      case 'enable':
        return await expecting(gone ?? (key.isEnabled ? null : asleep), async () => {
          await keys.enable(caller, key.id);
          model.enable(key);
        });
      default:
        return await expecting(gone, async () => {
          await keys.remove(caller, key.id);
          model.remove(key);
        });
    }
  }

  #refusalOfScopes(patterns: readonly Pattern[]): string | null {
    if (!this.#model.isAccountActive) return 'key.account_disabled';
    return this.#model.areGranted(patterns) ? null : 'key.scope_exceeds_account';
  }

  async #changeAccount(command: Command): Promise<string | null> {
    const patch =
      command.kind === 'grants'
        ? { grants: toScopes(command.patterns) }
        : { state: command.kind === 'enable account' ? ('active' as const) : ('disabled' as const) };
    await this.#place.harness.deps.accounts.update(this.#caller, 'service', this.#accountId, patch, null);
    if (command.kind === 'grants') this.#model.setGrants(command.patterns);
    else this.#model.setAccount(command.kind === 'enable account');
    return null;
  }

  /** What the holder of the newest secret does with it, where it is good. */
  async #useKey(kind: 'get token' | 'revoke', key: ModelKey): Promise<string | null> {
    const { deps } = this.#place.harness;
    const [model, secret, now] = [this.#model, key.current, this.#now];
    const { defaultWorkspace: workspace } = deps;
    const proven = await deps.keyAuthenticator.authenticate(workspace.id, presented(secret), null);
    if (proven.code !== 'valid') return null;
    if (kind === 'revoke') {
      const { account, key: identity } = proven;
      await deps.keys.revokeSelf({ ...this.#caller, principal: { kind: 'key', account, key: identity } });
      model.revoke(key);
      return null;
    }
    const seconds = (ms: number) => Math.floor(ms / SECOND_MS);
    const end = Math.min(seconds(now) + seconds(TOKEN_LIFETIME_MS), seconds(secret.expiresAt));
    return await expecting(end > seconds(now) ? null : 'auth.key_expired', async () => {
      const { token } = await deps.tokens.issue(workspace, proven);
      model.addToken(secret, token.reveal(), end * SECOND_MS);
    });
  }

  #wait(until: Extract<Command, { kind: 'wait' }>['until']): null {
    const { clock } = this.#place.harness;
    const end = this.#model.nextEnd(this.#now);
    if (until === 'an hour') clock.advance(HOUR_MS);
    else if (until === 'a month' || end === null) clock.advance(MONTH_MS);
    else clock.set(until === 'the next end' ? end : Math.max(this.#now, end - 1));
    return null;
  }

  /** Shows every secret and token that there ever was; the first that is judged otherwise than the model says. */
  async compare(name: Name): Promise<string | null> {
    const now = this.#now;
    for (const [index, secret] of this.#model.secrets.entries()) {
      const wanted = this.#model.codeOf(secret, name, now);
      const found = await this.#verify(secret, name);
      if (found !== wanted) return `secret ${index + 1} is ${found} on ${name}, not ${wanted}`;
      const quick = await this.#recognize(secret);
      const isFit = quick === null || quick === (wanted === 'insufficient_scope' ? 'valid' : wanted);
      if (!isFit) return `secret ${index + 1} is ${quick} on the short way, not ${wanted}`;
    }
    for (const [index, token] of this.#model.tokens.entries()) {
      const isGood = await this.#isTokenGood(token.text);
      if (isGood !== this.#model.isTokenGood(token, now))
        return `token ${index + 1} is ${isGood ? 'good' : 'no good'}, not the other way round`;
    }
    this.answers += 2 * this.#model.secrets.length + this.#model.tokens.length;
    return null;
  }

  async #verify(secret: ModelSecret, name: Name): Promise<string> {
    const input = {
      presented: presented(secret),
      question: { action: ACTION, resource: name },
      clientIp: null,
    };
    const { code } = await this.#place.harness.deps.verification.verify(this.#caller, input);
    return code;
  }

  /** The way of plain requests, from memory; null where it leaves the answer to the other one. */
  async #recognize(secret: ModelSecret): Promise<Code | 'malformed' | null> {
    const { storage, defaultWorkspace, keyAuthenticator } = this.#place.harness.deps;
    const epoch = await storage.epochGuard.read(defaultWorkspace.id);
    const [prefix, id, secretKey = ''] = secret.text.split('_');
    const found = keyAuthenticator.recognizeOrMiss(
      { workspaceId: defaultWorkspace.id, epoch },
      { apiKey: `${prefix}_${id}`, secretKey },
      null,
    );
    return typeof found === 'string' || found === null ? found : 'valid';
  }

  async #isTokenGood(text: string): Promise<boolean> {
    const { tokens, defaultWorkspace } = this.#place.harness.deps;
    try {
      await tokens.verify(defaultWorkspace, new Secret(text), null);
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== 'auth.invalid_credential') throw error;
      return false;
    }
  }
}

function presented({ text }: ModelSecret) {
  return { fullKey: new Secret(text) };
}

/** Runs it; what came instead of the code (of an error) that was expected, or of success. */
async function expecting(code: string | null, work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return code === null ? null : `it was done, although ${code} was due`;
  } catch (error) {
    const found = (error as { code?: string }).code ?? String(error);
    return found === code
      ? null
      : `it was refused with ${found}, ${code === null ? 'although nothing forbids it' : `not ${code}`}`;
  }
}
