/**
 * One process of the walk that is killed: `node walker.ts DATA_DIR SMTP_URL FIRST_DAY LAST_DAY START DIE_AT`. It goes
 * from day to day by a clock of its own, looks for expiries and sends, and tells its parent of each day that is over.
 * With DIE_AT it kills itself, as hard as the power does, at the so many-th of its risky places.
 */
import { DAY_MS } from '@keyreeve/server';
import { openDeps, sendAll } from './open-deps.ts';

const [dataDir = '', smtpUrl = '', firstDay, lastDay, start, dieAt] = process.argv.slice(2);

let now = Number(start);
let places = 0;

function passRiskyPlace(): void {
  places += 1;
  if (places === Number(dieAt)) process.kill(process.pid, 'SIGKILL');
}

const deps = await openDeps(dataDir, smtpUrl, () => now);
const queue = { ...deps.queue };
const events = { ...deps.events };
Object.assign(deps.queue, {
  // Between the commit of the claim and the mail.
  claimDue: async (...args: Parameters<typeof queue.claimDue>) => {
    const claimed = await queue.claimDue(...args);
    if (claimed.length > 0) passRiskyPlace();
    return claimed;
  },
  // Between the mail and the commit of what became of it.
  settle: async (...args: Parameters<typeof queue.settle>) => {
    passRiskyPlace();
    return await queue.settle(...args);
  },
});
Object.assign(deps.events, {
  // In the middle of the transaction that remembers what is told.
  emit: async (...args: Parameters<typeof events.emit>) => {
    await events.emit(...args);
    passRiskyPlace();
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
