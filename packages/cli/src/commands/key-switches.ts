import type { Command } from 'commander';
import { given, wholeNumber } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatTime } from '../text.ts';
import { describeKey, printMintedKey } from './key-details.ts';

const OVERLAP_HOURS_MAX = 168;

interface RegenerateOptions {
  readonly overlapHours?: number;
  readonly sendMail?: boolean;
  readonly mailTo?: string;
}

async function regenerateKey(run: Run, keyId: string, options: RegenerateOptions): Promise<void> {
  const { overlapHours = 0, sendMail, mailTo } = options;
  if (overlapHours === 0) await run.confirm(`Regenerate ${keyId}? Its present secret stops working at once.`);
  const body = given({ overlapHours, sendMail, mailTo });
  const { data } = await run
    .client()
    .POST('/v1/keys/{keyId}/regenerate', { params: { path: { keyId } }, body });
  await printMintedKey(run, data);
}

async function deleteKey(run: Run, keyId: string): Promise<void> {
  const client = run.client();
  const params = { path: { keyId } };
  const { data: key } = await client.GET('/v1/keys/{keyId}', { params });
  const forGood =
    key.access === 'full' ? 'A key with full access cannot be created again.' : 'This cannot be undone.';
  await run.confirm(`Delete ${keyId} (${key.comment})? ${forGood}`);
  await client.DELETE('/v1/keys/{keyId}', { params });
  await run.result({ deleted: keyId }, `${keyId} is deleted.\n`);
}

async function revokeOwnKey(run: Run): Promise<void> {
  await run.confirm('Revoke the key in KEYREEVE_API_KEY? Its secret stops working at once, for good.');
  await run.client().POST('/v1/keys/self/revoke');
  await run.result({ revoked: true }, 'The secret of this key is dead.\n');
}

/** Everything that starts, stops or ends a secret. */
export function addKeySwitches(keys: Command, setting: Setting): void {
  keys
    .command('regenerate <key>')
    .description('a new secret for the same key, with its original lifetime')
    .option(
      '--overlap-hours <hours>',
      `hours for which the old secret works on, 0 (default) to ${OVERLAP_HOURS_MAX}`,
      wholeNumber(0, OVERLAP_HOURS_MAX),
    )
    .option('--send-mail', 'mail the key to the account')
    .option('--mail-to <address>', 'address for the key of a service account')
    .action(withRun(setting, regenerateKey));
  keys
    .command('end-overlap <key>')
    .description('end the old secret now')
    .action(
      withRun(setting, async (run, keyId: string) => {
        const { data } = await run
          .client()
          .POST('/v1/keys/{keyId}/end-overlap', { params: { path: { keyId } } });
        await run.result(data, `Only the newest secret of ${keyId} works now.\n`);
      }),
    );
  keys
    .command('disable <key>')
    .description('switch a key off; can be undone')
    .option('--reason <text>', 'why, for whoever sees the key')
    .action(
      withRun(setting, async (run, keyId: string, { reason }: { reason?: string }) => {
        const params = { path: { keyId } };
        const { data } = await run
          .client()
          .POST('/v1/keys/{keyId}/disable', { params, body: given({ reason }) });
        await run.result(data, describeKey(data));
      }),
    );
  keys
    .command('enable <key>')
    .description('switch a key on again')
    .action(
      withRun(setting, async (run, keyId: string) => {
        const { data } = await run.client().POST('/v1/keys/{keyId}/enable', { params: { path: { keyId } } });
        await run.result(data, `${keyId} is ${data.status}; it expires ${formatTime(data.expiresAt)}.\n`);
      }),
    );
  keys.command('delete <key>').description('delete a key for good').action(withRun(setting, deleteKey));
  keys
    .command('revoke-self')
    .description('kill the secret in KEYREEVE_API_KEY, for instance after it leaked')
    .action(withRun(setting, revokeOwnKey));
}
