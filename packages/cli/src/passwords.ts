import { usageError } from './failures.ts';
import type { Run } from './run.ts';

const INSTEAD = 'Add --password-stdin and hand the password over on stdin.';

/** An existing password, from stdin or asked for once without echo. */
export async function readPassword(run: Run, isFromStdin: boolean): Promise<string> {
  const password = isFromStdin
    ? await run.prompts.readStdin()
    : await run.prompts.askSecret('Password: ', INSTEAD);
  if (password === '') throw usageError('The password is empty.');
  return password;
}

/** A new password, from stdin or asked for twice without echo, since nobody sees what he types. */
export async function readNewPassword(run: Run, isFromStdin: boolean): Promise<string> {
  const password = await readPassword(run, isFromStdin);
  if (!isFromStdin && (await run.prompts.askSecret('The same again: ', INSTEAD)) !== password) {
    throw usageError('The two passwords differ.', 'Try again.');
  }
  return password;
}
