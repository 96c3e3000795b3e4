import { type VerifyAnswer, verifyKey } from '@keyreeve/sdk';
import type { Command } from 'commander';
import { EXIT, type ExitCode, usageError } from '../failures.ts';
import { formatPermission, given } from '../options.ts';
import { type Run, type Setting, withRun } from '../run.ts';
import { formatDetails, formatTime } from '../text.ts';

interface VerifyOptions {
  readonly action?: string;
  readonly resource?: string;
  readonly ip?: string;
}

function describeAnswer({ valid, code, keyId, account, access, expiresAt, matched }: VerifyAnswer): string {
  return formatDetails([
    ['Valid', valid ? 'yes' : 'no'],
    ['Code', code],
    ['API key', keyId],
    ['Account', account === null ? null : `${account.displayName} (${account.login})`],
    ['Access', access],
    ['Expires', expiresAt === null ? null : formatTime(expiresAt)],
    ['By scope', matched === undefined ? null : formatPermission(matched)],
  ]);
}

async function readKey({ world, prompts }: Run): Promise<string> {
  const isAsked = world.stdin.isTTY === true;
  const text = isAsked ? await prompts.askSecret('Full key: ', '') : await prompts.readStdin();
  const key = text.trim();
  if (key === '') throw usageError('No key was given.', 'Hand the full key over on stdin.');
  return key;
}

async function verify(run: Run, options: VerifyOptions): Promise<ExitCode> {
  const client = run.client();
  const key = await readKey(run);
  const answer = await verifyKey(client, { key, ...given(options) });
  await run.result(answer, describeAnswer(answer));
  return answer.valid ? EXIT.ok : EXIT.refused;
}

/** `keyreeve verify`, and the same as `keyreeve keys verify`. */
export function addVerifyCommand(parent: Command, setting: Setting): void {
  parent
    .command('verify')
    .description('is the full key on stdin good, and may it do this? Ends with 1 when not')
    .option('--action <action>', 'for instance package:push')
    .option('--resource <name>', 'what the action is done to')
    .option('--ip <address>', 'address of the end client, for keys with an allow list')
    .action(
      withRun(
        setting,
        async (run, { action, resource, ip }: VerifyOptions) =>
          await verify(run, given({ action, resource, ip })),
      ),
    );
}
