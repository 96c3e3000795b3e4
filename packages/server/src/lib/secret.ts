import { inspect } from 'node:util';

const MASK = '[secret]';

/**
 * A value that must never be logged, audited or put into an error. Every way in which JavaScript turns a
 * value into text by accident (template strings, JSON, console, pino) gives the mask; only `reveal()`,
 * which is easy to search for, gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
