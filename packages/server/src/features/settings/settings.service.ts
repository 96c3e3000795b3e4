import type { FieldFault } from '../../errors/index.ts';
import { requestErrors } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasHiddenText } from '../../lib/text.ts';
import { isTimeZone } from '../../lib/time-zone.ts';
import { type Executor, inTransaction, type Storage } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import { settingsErrors } from './settings.errors.ts';
import { findSettings, type StoredSettings, saveSettings } from './settings.repo.ts';
import type { Settings, SettingsPatch } from './settings.schema.ts';

export interface SettingsService {
  /** The settings of a workspace, read in the caller's transaction when one is given. */
  get(workspaceId: string, exec?: Executor): Promise<Settings>;
  /**
   * The same outside of transactions, and as true. On SQLite from memory for as long as nothing of the workspace was
   * revoked, since a change of settings counts as a revocation; on PostgreSQL, where what is in memory may be two
   * seconds old, by a read.
   */
  getKnown(workspaceId: string): Promise<Settings>;
  getStored(caller: Caller): Promise<StoredSettings>;
  /**
   * Changes the given settings and leaves the others.
   *
   * @throws request.precondition_failed, settings.contradiction, settings.smtp_required
   */
  update(caller: Caller, patch: SettingsPatch, ifMatch: number | null): Promise<StoredSettings>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly audit: AuditService;
  readonly hasSmtp: boolean;
}

/** A set of settings in which no key could be made, or a default that nobody may choose, is refused whole. */
function findContradictions(settings: Settings): FieldFault[] {
  const faults: FieldFault[] = [];
  if (!settings.customLifetimes && !settings.lifetimeChoicesDays.includes(settings.defaultLifetimeDays)) {
    faults.push({
      field: 'defaultLifetimeDays',
      message: `must be one of lifetimeChoicesDays (${settings.lifetimeChoicesDays.join(', ')})`,
    });
  }
  for (const [index, days] of settings.lifetimeChoicesDays.entries()) {
    if (days > settings.maxLifetimeDays)
      faults.push({
        field: `lifetimeChoicesDays[${index}]`,
        message: `is more than maxLifetimeDays (${settings.maxLifetimeDays})`,
      });
  }
  if (settings.defaultLifetimeDays > settings.maxLifetimeDays) {
    faults.push({
      field: 'defaultLifetimeDays',
      message: `is more than maxLifetimeDays (${settings.maxLifetimeDays})`,
    });
  }
  if (!isTimeZone(settings.defaultTimeZone))
    faults.push({ field: 'defaultTimeZone', message: 'must be an IANA name like Asia/Tokyo' });
  return [...faults, ...findMailTextFaults(settings)];
}

/** A character that leaves ink. */
const VISIBLE = /[^\p{C}\p{Z}]/u;

/** One text for each kind and language, and nothing that hides in it. */
function findMailTextFaults({ mailTexts }: Settings): FieldFault[] {
  const faults: FieldFault[] = [];
  const known = new Set<string>();
  for (const [index, { kind, locale, subject, intro }] of mailTexts.entries()) {
    const name = `${kind} ${locale}`;
    if (known.has(name))
      faults.push({ field: `mailTexts[${index}]`, message: `is a second text for ${name}` });
    known.add(name);
    if (subject !== null && (hasHiddenText(subject) || /[\t\n]/.test(subject) || !VISIBLE.test(subject)))
      faults.push({ field: `mailTexts[${index}].subject`, message: 'must be one line of visible text' });
    if (intro !== null && hasHiddenText(intro))
      faults.push({
        field: `mailTexts[${index}].intro`,
        message: 'contains control or text-direction characters; remove them',
      });
    else if (intro !== null && !VISIBLE.test(intro))
      faults.push({
        field: `mailTexts[${index}].intro`,
        message: 'must have at least one visible character',
      });
  }
  return faults;
}

function changedFields(before: Settings, after: Settings): Record<string, { from: unknown; to: unknown }> {
  const changes: Record<string, { from: unknown; to: unknown }> = {};
  for (const name of Object.keys(after) as (keyof Settings)[]) {
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      changes[name] = { from: before[name], to: after[name] };
  }
  return changes;
}

const WORKSPACES_MAX = 1_000;

/** @see SettingsService.getKnown */
function createKnownSettings({ read, epochGuard }: Storage): SettingsService['getKnown'] {
  const known = new Map<string, { readonly epoch: number; readonly settings: Settings }>();
  return async (workspaceId) => {
    const epoch = epochGuard.peek(workspaceId) ?? (await epochGuard.read(workspaceId));
    const kept = known.get(workspaceId);
    if (kept !== undefined && kept.epoch === epoch) return kept.settings;
    const { settings } = await findSettings(read, workspaceId);
    if (known.size >= WORKSPACES_MAX) known.clear();
    known.set(workspaceId, { epoch, settings });
    return settings;
  };
}

export function createSettingsService(deps: Deps): SettingsService {
  const { storage, clock, audit } = deps;
  const readSettings: SettingsService['get'] = async (workspaceId, exec = storage.read) =>
    (await findSettings(exec, workspaceId)).settings;
  return {
    get: readSettings,
    getKnown: storage.engine === 'sqlite' ? createKnownSettings(storage) : readSettings,
    getStored: (caller) => findSettings(storage.read, caller.workspace.id),
    update: (caller, patch, ifMatch) =>
      inTransaction(storage, async (tx) => {
        const stored = await findSettings(tx, caller.workspace.id);
        if (ifMatch !== null && ifMatch !== stored.version)
          throw requestErrors.precondition_failed({ extra: { version: stored.version } });
        const settings: Settings = { ...stored.settings, ...patch };
        const faults = findContradictions(settings);
        if (faults.length > 0)
          throw settingsErrors.contradiction({
            fields: faults,
            detail: faults.map((fault) => `${fault.field} ${fault.message}`).join('; '),
          });
        if (settings.keyMail === 'value' && !deps.hasSmtp) throw settingsErrors.smtp_required();
        const detail = changedFields(stored.settings, settings);
        if (Object.keys(detail).length === 0) return stored;
        const saved = { settings, version: stored.version + 1 };
        await saveSettings(tx, caller.workspace.id, saved, clock.now());
        await audit.record(tx, caller, {
          action: 'settings.changed',
          target: { kind: 'settings', id: caller.workspace.id },
          detail,
        });
        return saved;
      }),
  };
}
