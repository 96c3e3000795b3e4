import { type Account, type Caller, createDeps, type Deps, loadConfig, systemRandom } from '@keyreeve/server';
import { createLogger } from '../../packages/server/src/logger.ts';

/** The services of the product on a data folder, without its jobs: the walk calls them by its own clock. */
export async function openDeps(dataDir: string, smtpUrl: string, now: () => number): Promise<Deps> {
  const config = loadConfig({
    KEYREEVE_DATA_DIR: dataDir,
    KEYREEVE_SMTP_URL: smtpUrl,
    KEYREEVE_SMTP_ALLOW_PLAIN: '1',
    KEYREEVE_BULK_MAILS_PER_MINUTE: '100000',
    KEYREEVE_LOG_LEVEL: 'error',
  });
  return await createDeps({ config, clock: { now }, random: systemRandom, logger: createLogger('error') });
}

/** The caller that a console session of this user would be. */
export async function sessionOf(deps: Deps, user: Account): Promise<Caller> {
  const account = await deps.accounts.findIdentity(deps.storage.read, user.workspaceId, user.id);
  if (account === null) throw new Error(`The account ${user.id} is gone.`);
  return {
    workspace: deps.defaultWorkspace,
    principal: { kind: 'session', account, sessionId: 'ses_walk', managedIds: [] },
    ip: '127.0.0.1',
    userAgent: 'walk',
    requestId: null,
  };
}

/** Sends until nothing waits; leases of a process that was killed end on the way. */
export async function sendAll(deps: Deps, advance: (ms: number) => void): Promise<void> {
  for (;;) {
    while ((await deps.notices.sendDue()) > 0);
    const { count } = await deps.storage.read
      .selectFrom('outbox')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    if (count === 0) return;
    advance(61_000);
  }
}
