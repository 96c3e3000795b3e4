import type { AuditEntry } from '@keyreeve/sdk';
import { describeCode } from '../../errors/describe-error.ts';
import { describeAgent } from '../../format/agent.ts';
import type { Language } from '../../i18n/i18n.ts';
import { say } from '../../i18n/words.tsx';
import { wordAction } from './action-texts.ts';
import { auditWords } from './audit.words.ts';
import type { KnownAccount } from './audit-queries.ts';
import { readDetail } from './detail-values.ts';
import { wordField } from './field-texts.ts';

/** Accounts by id, as far as the page knows them. */
export type KnownAccounts = ReadonlyMap<string, KnownAccount>;

export interface Lines {
  readonly main: string;
  readonly isMono: boolean;
  readonly sub: string | null;
}

/** What happened, in words. */
export function whatOf(entry: AuditEntry, language: Language): string {
  const fields = Object.keys(entry.detail);
  const kind = fields.length === 1 && fields[0] === 'scopes' ? 'scopes' : entry.target.kind;
  return wordAction(entry.action, language, kind);
}

/** Programs by their names, people by theirs; a login tells which of the two it is. */
export function actorOf(entry: AuditEntry, known: KnownAccounts): { name: string; kind: 'user' | 'service' } {
  const { id, name, kind } = entry.actor;
  const account = known.get(id ?? '');
  const login = name ?? id ?? '';
  const isPerson = kind === 'session' || login.includes('@');
  return { name: account?.name ?? login, kind: account?.kind ?? (isPerson ? 'user' : 'service') };
}

/** Where a call came from: by the page, by the server itself, or by a program. */
export function originOf(entry: AuditEntry): string {
  if (entry.actor.kind === 'system') return say(auditWords, 'scheduler');
  const isConsole = entry.actor.kind === 'session' || entry.action.startsWith('session.');
  return isConsole ? say(auditWords, 'console') : describeAgent(entry.userAgent ?? '');
}

function keyUsed(entry: AuditEntry): string | null {
  const { keyId } = entry.actor;
  return keyId === null || keyId === entry.target.id ? null : say(auditWords, 'withKey', { key: keyId });
}

function reasonOf(entry: AuditEntry, language: Language): string | null {
  const { code, reason } = entry.detail;
  if (typeof code === 'string') return describeCode(code, language) ?? code;
  return typeof reason === 'string' ? reason : null;
}

function settingsLines(entry: AuditEntry, language: Language): Lines {
  const fields = readDetail(entry.detail, language, () => null);
  const [only] = fields;
  const main = fields.map(({ name }) => wordField(name, language)).join(', ');
  const sub =
    fields.length === 1 && only?.from != null
      ? say(auditWords, 'changeOf', { from: only.from.text, to: only.to.text })
      : keyUsed(entry);
  return { main, isMono: false, sub };
}

/** What an event was about, in two lines. */
export function targetOf(entry: AuditEntry, known: KnownAccounts, language: Language): Lines {
  const { kind, id, name } = entry.target;
  const account =
    known.get(id) ?? (kind === 'session' || kind === 'mail' ? known.get(entry.accountId ?? '') : undefined);
  const sub = reasonOf(entry, language) ?? keyUsed(entry);
  switch (kind) {
    case 'key':
      return { main: id, isMono: true, sub: name ?? sub };
    case 'package':
      return {
        main: name ?? id,
        isMono: true,
        sub: typeof entry.detail['owner'] === 'string' ? entry.detail['owner'] : sub,
      };
    case 'settings':
      return settingsLines(entry, language);
    case 'route':
      return { main: id, isMono: true, sub };
    case 'user':
    case 'service':
    case 'account':
      return account === undefined
        ? { main: name ?? id, isMono: name === null, sub }
        : { main: account.name, isMono: false, sub: sub ?? account.login };
    default:
      return {
        main: account?.name ?? name ?? id,
        isMono: account === undefined && name === null,
        sub: sub ?? account?.login ?? null,
      };
  }
}
