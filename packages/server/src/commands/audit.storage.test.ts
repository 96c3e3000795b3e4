import { type Harness, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAudit } from './audit.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

async function verify(): Promise<number> {
  const { database, masterKey } = harness;
  return await runAudit(['verify', '--json'], {
    KEYREEVE_DATA_DIR: database.dataDir,
    KEYREEVE_MASTER_KEY: masterKey,
    ...(database.url === null ? {} : { KEYREEVE_DATABASE_URL: database.url }),
  });
}

describe('audit verify', () => {
  it('says that it cannot tell where the keys of the log are gone', async () => {
    await harness.deps.storage.write.deleteFrom('audit_keys').execute();
    await expect(verify()).rejects.toMatchObject({ code: 'audit.keys_missing', exitCode: 3 });
  });

  it('says that it cannot tell where no server has begun the chain', async () => {
    const { write } = harness.deps.storage;
    await write.deleteFrom('audit_keys').execute();
    await write.deleteFrom('meta').where('name', '=', 'audit_chain').execute();
    await expect(verify()).rejects.toMatchObject({ code: 'audit.not_begun', exitCode: 3 });
  });
});
