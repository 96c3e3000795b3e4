import type { Config } from '../../config/index.ts';
import { verifyEnds } from '../../features/audit/index.ts';
import { HOUR_MS, MINUTE_MS } from '../../lib/clock.ts';
import { compareVersions } from '../../storage/backup/index.ts';
import { type Inspection, isNewSqliteDatabase, openInspection } from '../../storage/index.ts';
import { type Check, type Finding, fault, type Place, warning } from './check.ts';
import { countActiveAdmins, countOverdue, listSigningKeys } from './installation.repo.ts';

/** Work waits longer than this only when nobody does it. */
const OVERDUE_MS = 15 * MINUTE_MS;
/** Sweeps run once an hour. */
const SWEEP_OVERDUE_MS = 3 * HOUR_MS;

/** The ids of the signing keys in the database; null when it cannot be asked. */
export async function readSigningKeyIds(config: Config): Promise<readonly string[] | null> {
  try {
    const keys = await withInspection(config, async ({ main }) => await listSigningKeys(main));
    return keys.map(({ kid }) => kid);
  } catch {
    return null;
  }
}

async function withInspection<Result>(
  config: Config,
  use: (inspection: Inspection) => Promise<Result>,
): Promise<Result> {
  const inspection = await openInspection(config);
  try {
    return await use(inspection);
  } finally {
    await inspection.close();
  }
}

/** Runs a check that needs tables. Where there are none that it knows, the check of the database has said why. */
async function onTables(
  { config }: Place,
  use: (inspection: Inspection) => Promise<readonly Finding[]>,
): Promise<readonly Finding[] | string> {
  if (config.database.engine === 'sqlite' && isNewSqliteDatabase(config.dataDir))
    return 'there is no database yet';
  return await withInspection(config, async (inspection) => {
    if (compareVersions(await inspection.readVersions()) !== 'same')
      return 'the schema is of another release';
    return await use(inspection);
  });
}

export const administratorsCheck: Check = {
  name: 'administrators',
  run: (place) =>
    onTables(place, async ({ main }) => {
      if ((await countActiveAdmins(main)) > 0) return [];
      return [
        fault(
          'admin.none',
          'No active administrator can sign in to the default workspace.',
          'Restart the server: it prints a set-up code for a new one (keyreeve setup), or takes KEYREEVE_ADMIN_EMAIL and KEYREEVE_ADMIN_PASSWORD.',
        ),
      ];
    }),
};

export const signingKeysCheck: Check = {
  name: 'signing keys',
  run: (place) =>
    onTables(place, async ({ main }) => {
      const now = place.now();
      const keys = await listSigningKeys(main);
      // The first one is made for the first token.
      if (keys.length === 0) return [];
      const isUsable = keys.some(
        ({ activates_at, retires_at }) => activates_at <= now && (retires_at === null || retires_at > now),
      );
      if (isUsable) return [];
      return [
        fault(
          'signing_key.none',
          'No signing key is in force, so no token can be checked.',
          'Check the clock first. Then restart the server, which makes a new key when it needs one.',
        ),
      ];
    }),
};

export const jobsCheck: Check = {
  name: 'jobs',
  run: async (place) => {
    if (!place.isListening) return 'the server is stopped';
    return await onTables(place, async ({ main }) => {
      const now = place.now();
      const late = await countOverdue(main, now - OVERDUE_MS);
      const unswept = (await countOverdue(main, now - SWEEP_OVERDUE_MS)).tokens;
      const log = 'Look into the log for "a job failed", and restart the server.';
      const findings: Finding[] = [];
      if (late.mails > 0)
        findings.push(
          fault('jobs.mails_late', `${late.mails} mails are overdue by more than 15 minutes.`, log),
        );
      if (late.deliveries + late.events > 0)
        findings.push(
          fault(
            'jobs.webhooks_late',
            `${late.deliveries} webhook deliveries and ${late.events} events are overdue by more than 15 minutes.`,
            log,
          ),
        );
      if (unswept > 0)
        findings.push(warning('jobs.sweep_late', 'The hourly sweeps have not run for three hours.', log));
      return findings;
    });
  },
};

/** The newest rows alone, which takes no key and no time; `keyreeve audit verify` looks at all of them. */
export const auditCheck: Check = {
  name: 'audit log',
  run: (place) =>
    onTables(place, async ({ main }) => {
      const { faults, unsigned } = await verifyEnds(main, place.now());
      const findings: Finding[] = faults.map(({ workspaceId, kind, message }) =>
        fault(
          'audit.broken',
          `The audit log of ${workspaceId} is not as it was written (${kind}). ${message}`,
          'Run keyreeve audit verify, which looks at all of it. Keep a copy of the database, and find out who can write to it.',
        ),
      );
      if (place.isListening && unsigned.length > 0)
        findings.push(
          warning(
            'audit.unsigned',
            `${unsigned.length} audit logs have not been signed for two hours, such as that of ${unsigned[0] ?? ''}.`,
            'Look into the log for "a job failed", and restart the server.',
          ),
        );
      return findings;
    }),
};
