/**
 * One process of the walk that is killed: `node walker.ts DATA_DIR SMTP_URL WEBHOOK_PORT FIRST_DAY LAST_DAY START DIE_AT
 * [hasty]`. It goes from day to day by a clock of its own, looks for expiries and sends, and tells its parent of each day
 * that is over. With DIE_AT it kills itself, as hard as the power does, at the so many-th of its risky places. `hasty`
 * makes it the negative control: mails count as sent before they are.
 */
import { DAY_MS, inTransaction } from '@keyreeve/server';
import { openDeps, sendAll } from './open-deps.ts';

const [dataDir = '', smtpUrl = '', webhookPort, firstDay, lastDay, start, dieAt, manner] =
  process.argv.slice(2);

let now = Number(start);
let places = 0;

/** The control dies only where its fault shows. */
function passRiskyPlace(name: 'claimed' | 'sent' | 'told'): void {
  if (manner === 'hasty' && name !== 'claimed') return;
  places += 1;
  if (places === Number(dieAt)) process.kill(process.pid, 'SIGKILL');
}

const deps = await openDeps(dataDir, { smtpUrl, webhookPort: Number(webhookPort) }, () => now);
async function settleAll(claimed: Awaited<ReturnType<typeof deps.queue.claimDue>>): Promise<void> {
  await inTransaction(deps.storage, async (tx) => {
    for (const mail of claimed) await queue.settle(tx, mail, { kind: 'sent' });
  });
}

const queue = { ...deps.queue };
const events = { ...deps.events };
Object.assign(deps.queue, {
  // Between the commit of the claim and the mail.
  claimDue: async (...args: Parameters<typeof queue.claimDue>) => {
    const claimed = await queue.claimDue(...args);
    if (manner === 'hasty') await settleAll(claimed);
    if (claimed.length > 0) passRiskyPlace('claimed');
    return claimed;
  },
  // Between the mail and the commit of what became of it.
  settle: async (...args: Parameters<typeof queue.settle>) => {
    passRiskyPlace('sent');
    return await queue.settle(...args);
  },
});
Object.assign(deps.events, {
  // In the middle of the transaction that remembers what is told.
  emit: async (...args: Parameters<typeof events.emit>) => {
    await events.emit(...args);
    passRiskyPlace('told');
  },
});

for (let day = Number(firstDay); day <= Number(lastDay); day += 1) {
  now = Number(start) + day * DAY_MS;
  await deps.expirySweep.run();
  await sendAll(deps, (ms) => {
    now += ms;
  });
  process.send?.(day);
}
await deps.close();
process.disconnect?.();
