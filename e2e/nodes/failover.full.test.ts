import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../server-process.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { attachStandby, type FailoverReport, killUnderLoad, toFailoverUrl } from './failover.ts';
import { startPostgres } from './postgres.ts';
import { openProgramFolder } from './programs.ts';

const ROUNDS = 10;
const LOAD = { loadMs: 3_000, stallMs: 500 };

let close = async (): Promise<void> => {};
afterAll(() => close());

/** A pair of its own each time: a killed primary does not come back. */
async function failOver(isSynchronous: boolean): Promise<FailoverReport> {
  const folder = openProgramFolder();
  const primary = await startPostgres(folder);
  const standby = await attachStandby(primary, { folder, port: await freePort(), isSynchronous });
  let cluster: Cluster | null = null;
  close = async () => {
    await cluster?.close();
    await primary.close();
    await standby.close();
    folder.remove();
    close = async () => {};
  };
  cluster = await startCluster({
    env: { KEYREEVE_DATABASE_URL: toFailoverUrl([primary.port, standby.port]) },
  });
  const report = await killUnderLoad({ primary, standby, cluster, ...LOAD });
  await close();
  return report;
}

describe('a primary that is killed under load', () => {
  it('takes nothing with it that was acknowledged, when its standby is synchronous', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const report = await failOver(true);
      console.log(
        `${report.acknowledged} acknowledged; writes refused for ${report.writeOutagesMs.join(', ')} ms`,
      );
      expect(report).toMatchObject({ lost: [], doubled: [], staleAnswers: 0 });
    }
  });

  it('is seen to lose acknowledged writes, when its standby is asynchronous', async () => {
    const report = await failOver(false);
    console.log(`Asynchronous: ${report.lost.length} of ${report.acknowledged} acknowledged are lost.`);
    expect(report.lost.length).toBeGreaterThan(0);
  });
});
