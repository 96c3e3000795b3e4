import { type Account, type Caller, createDeps, type Deps, loadConfig, systemRandom } from '@keyreeve/server';
import { createLogger } from '../../packages/server/src/logger.ts';

/** The services of the product on a data folder, without its jobs: the walk calls them by its own clock. */
export async function openDeps(
  dataDir: string,
  { smtpUrl, webhookPort }: { readonly smtpUrl: string; readonly webhookPort: number },
  now: () => number,
): Promise<Deps> {
  const config = loadConfig({
    KEYREEVE_DATA_DIR: dataDir,
    KEYREEVE_SMTP_URL: smtpUrl,
    KEYREEVE_SMTP_ALLOW_PLAIN: '1',
    KEYREEVE_BULK_MAILS_PER_MINUTE: '100000',
    KEYREEVE_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    KEYREEVE_WEBHOOK_PORTS: String(webhookPort),
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

/** Sends mails and webhooks until nothing waits; leases of a process that was killed end on the way. */
export async function sendAll(deps: Deps, advance: (ms: number) => void): Promise<void> {
  for (;;) {
    while ((await deps.notices.sendDue()) > 0);
    while ((await deps.fanOut.run()) > 0);
    while ((await deps.webhookSender.sendDue()) > 0);
    if ((await countPending(deps, 'outbox')) + (await countPending(deps, 'webhook_deliveries')) === 0) return;
    advance(61_000);
  }
}

async function countPending(deps: Deps, table: 'outbox' | 'webhook_deliveries'): Promise<number> {
  const { count } = await deps.storage.read
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  return count;
}
