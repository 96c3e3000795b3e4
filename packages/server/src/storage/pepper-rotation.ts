import { createSecretKey } from 'node:crypto';
import { DAY_MS } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import { handOnPepper, handOnPlace, withdrawPeppers } from './handed-on-peppers.repo.ts';
import {
  insertDataKey,
  isMasterKeyOf,
  type KeyringDeps,
  openKeyring,
  readMasterKeyCheck,
  wrongMasterKey,
} from './keyring.ts';
import { inTransaction } from './transaction.ts';

/** Far longer than a process that serves goes without `refresh`. */
const HANDED_ON_MS = DAY_MS;

/**
 * Makes a new pepper, beside servers that run: secrets that are made from now on are stored under it, and those made
 * before keep the pepper that their rows name. A process learns of it when it looks (`Keyring.refresh`), which it also
 * does when it meets a row under a pepper that it does not know.
 *
 * @returns the id of the new pepper, and how many there are now
 * @throws MasterKeyError when this is not the master key of the database, or no longer
 */
export async function rotatePepper(
  deps: KeyringDeps,
): Promise<{ readonly id: string; readonly count: number }> {
  const { storage, clock, random, masterKey } = deps;
  const keyring = await openKeyring(deps);
  const id = newId(random, 'dataKey');
  const key = random.bytes(32);
  const sealed = keyring.seal(Buffer.from(key).toString('base64url'), handOnPlace(id));
  return await inTransaction(storage, async (tx) => {
    // A master key that came in meanwhile could not open what this one wraps.
    const check = await readMasterKeyCheck(tx);
    if (check === null || !isMasterKeyOf(check, masterKey)) throw wrongMasterKey();
    const others = await tx
      .selectFrom('data_keys')
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.max('created_at').as('latest')])
      .where('purpose', '=', 'pepper')
      .executeTakeFirstOrThrow();
    // The newest one is the one in use, also where the clock went back.
    const createdAt = Math.max(clock.now(), others.latest + 1);
    await insertDataKey(tx, random, createSecretKey(masterKey), { id, purpose: 'pepper', createdAt, key });
    await handOnPepper(tx, id, sealed);
    return { id, count: others.count + 1 };
  });
}

/**
 * Takes back what was handed on to processes: they have it, and those that start later open the wrapped one. What is
 * handed on hangs on the data keys, which a rotation of the master key does not change.
 */
export async function withdrawOldPeppers(deps: Pick<KeyringDeps, 'storage' | 'clock'>): Promise<void> {
  const { storage, clock } = deps;
  await inTransaction(storage, (tx) => withdrawPeppers(tx, clock.now() - HANDED_ON_MS));
}
