import { CliError, EXIT, usageError } from './failures.ts';
import type { Input } from './world.ts';

const LINE_CHARACTERS_MAX = 8_192;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ESCAPE = '\u001b';

type Typed =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'enter' }
  | { readonly kind: 'cancel' };

/** What one character does to the line typed so far: the new line, or how it ends. */
function typeCharacter(line: string, character: string): Typed {
  if (character === CTRL_C || (character === CTRL_D && line === '')) return { kind: 'cancel' };
  if (character === '\r' || character === '\n') return { kind: 'enter' };
  if (character === CTRL_U) return { kind: 'line', line: '' };
  const isErasure = character === '\u007f' || character === '\b';
  if (isErasure) return { kind: 'line', line: Array.from(line).slice(0, -1).join('') };
  return { kind: 'line', line: character < ' ' ? line : line + character };
}

function cancelled(): CliError {
  return new CliError('cli.cancelled', 'Cancelled.', { exitCode: EXIT.interrupted });
}

/** Reads a terminal line by line, with or without the terminal's own echo and editing. */
export class LineReader {
  readonly #input: Input;
  /** Typed ahead or pasted: what came after the line that was asked for belongs to the next question. */
  #ahead = '';

  constructor(input: Input) {
    this.#input = input;
  }

  /**
   * @param isRaw when the terminal leaves keys like erase to the program
   * @throws cli.cancelled at Ctrl-C and at the end of the input
   */
  async readLine(isRaw: boolean): Promise<string> {
    let line = '';
    for (;;) {
      const characters = Array.from(await this.#nextChunk());
      for (const [index, character] of characters.entries()) {
        // Arrow keys and the like send a sequence; none of it is meant as text.
        if (isRaw && character === ESCAPE) break;
        const typed = typeCharacter(line, character);
        if (typed.kind === 'cancel') throw cancelled();
        if (typed.kind === 'enter') {
          this.#ahead = characters.slice(index + 1).join('');
          return line;
        }
        ({ line } = typed);
        if (line.length > LINE_CHARACTERS_MAX) throw usageError('The line is too long.');
      }
    }
  }

  async #nextChunk(): Promise<string> {
    if (this.#ahead !== '') {
      const chunk = this.#ahead;
      this.#ahead = '';
      return chunk;
    }
    const input = this.#input;
    return await new Promise((resolve, reject) => {
      const stop = () => {
        input.off('data', onData);
        input.off('end', onEnd);
        // A stream that flows on keeps the process alive after the last answer.
        input.pause();
      };
      const onData = (chunk: Buffer | string) => {
        stop();
        resolve(chunk.toString());
      };
      const onEnd = () => {
        stop();
        reject(cancelled());
      };
      input.on('data', onData);
      input.on('end', onEnd);
      input.resume();
    });
  }
}
