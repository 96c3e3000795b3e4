import { CliError, usageError } from './failures.ts';
import { LineReader } from './line-reader.ts';
import type { World } from './world.ts';

const STDIN_CHARACTERS_MAX = 65_536;

/** Asks people at a terminal. Questions go to stderr, so that stdout holds results only. */
export interface Prompts {
  /** @throws cli.usage when stdin is not a terminal; `instead` names the option to use then */
  ask(question: string, instead: string): Promise<string>;
  /** The same without echo. */
  askSecret(question: string, instead: string): Promise<string>;
  /** Everything on stdin without its last line end, for secrets that scripts hand over. */
  readStdin(): Promise<string>;
  /** Asks yes or no. @throws cli.cancelled on no, cli.usage when stdin is not a terminal */
  confirm(question: string): Promise<void>;
}

export function createPrompts({ stdin, stderr }: World): Prompts {
  const reader = new LineReader(stdin);

  const requireTerminal = (instead: string) => {
    if (stdin.isTTY !== true) throw usageError('stdin is not a terminal, so nobody can be asked.', instead);
    stdin.setEncoding('utf8');
  };

  const ask = async (question: string, instead: string): Promise<string> => {
    requireTerminal(instead);
    stderr.write(question);
    return (await reader.readLine(false)).trim();
  };

  return {
    ask,
    askSecret: async (question, instead) => {
      requireTerminal(instead);
      stdin.setRawMode?.(true);
      stderr.write(question);
      try {
        return await reader.readLine(true);
      } finally {
        stdin.setRawMode?.(false);
        stderr.write('\n');
      }
    },
    readStdin: async () => {
      let text = '';
      stdin.setEncoding('utf8');
      for await (const chunk of stdin) {
        text += String(chunk);
        if (text.length > STDIN_CHARACTERS_MAX) {
          throw usageError(`stdin holds more than ${STDIN_CHARACTERS_MAX} characters.`);
        }
      }
      return text.replace(/\r?\n$/, '');
    },
    confirm: async (question) => {
      const answer = await ask(`${question} [y/N] `, 'Add --yes to go ahead without a question.');
      if (!/^y(es)?$/i.test(answer)) throw new CliError('cli.cancelled', 'Cancelled; nothing was changed.');
    },
  };
}
