import { PYTHON } from './clients.ts';
import { run } from './run.ts';

/** A mail as a parser that is not ours has read it. */
export interface ParsedMail {
  readonly subject: string;
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly { readonly name: string; readonly address: string }[];
  /** Null unless a server has delivered it. */
  readonly deliveredTo: string | null;
  readonly received: readonly string[] | null;
  readonly autoSubmitted: string;
  readonly sentAt: string;
  readonly type: string;
  readonly text: string;
  readonly html: string;
  /** What the parser found wrong. */
  readonly defects: readonly string[];
}

/** Reads mails, one in each file, with the parser of Python. */
export async function parseMails(files: readonly string[]): Promise<readonly ParsedMail[]> {
  const script = new URL('read_mails.py', import.meta.url).pathname;
  const { stdout, stderr, code } = await run(PYTHON, [script, ...files]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ParsedMail[];
}
