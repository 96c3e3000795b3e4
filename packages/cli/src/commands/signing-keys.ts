import type { SigningKey } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { addListOptions, type Column, type ListOptions, printList } from '../lists.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatTime } from '../text.ts';

const COLUMNS: readonly Column<SigningKey>[] = [
  { title: 'KEY ID', cell: ({ kid }) => kid },
  { title: 'ALGORITHM', cell: ({ algorithm }) => algorithm },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'SIGNS FROM', cell: ({ activatesAt }) => formatTime(activatesAt) },
  { title: 'ROTATES', cell: ({ rotatesAt }) => (rotatesAt === null ? '-' : formatTime(rotatesAt)) },
  { title: 'RETIRES', cell: ({ retiresAt }) => (retiresAt === null ? '-' : formatTime(retiresAt)) },
];

async function rotate(run: Run): Promise<void> {
  const { data } = await run.client().POST('/v1/signing-keys/rotate');
  await run.result(data, `${data.kid} is published. It signs from ${formatTime(data.activatesAt)}.\n`);
}

async function retire(run: Run, kid: string): Promise<void> {
  await run.confirm(`Retire ${kid} at once? Every token that it has signed ends now. This cannot be undone.`);
  const { data } = await run.client().POST('/v1/signing-keys/{kid}/retire', { params: { path: { kid } } });
  await run.result(data, `${data.retired.kid} is retired. ${data.signing.kid} signs now.\n`);
}

/** Commands about the keys that sign tokens. */
export function addSigningKeyCommands(program: Command, setting: Setting): void {
  const signingKeys = program.command('signing-keys').description('keys that sign tokens');
  addListOptions(
    signingKeys.command('list').description('all of them, and those retired in the last 30 days'),
  ).action(
    withRun(setting, async (run, options: ListOptions) => {
      const client = run.client();
      await printList(run, options, COLUMNS, (query) =>
        client.GET('/v1/signing-keys', { params: { query } }),
      );
    }),
  );
  signingKeys
    .command('rotate')
    .description('publish the next key, which signs in 20 minutes; no token ends')
    .action(withRun(setting, rotate));
  signingKeys
    .command('retire <kid>')
    .description('emergency: end a key and its tokens at once; another key signs')
    // Ids that older releases made may be taken for options.
    .addHelpText('after', '\nBefore an id that begins with a hyphen, write --.')
    .action(withRun(setting, retire));
}
