import path from 'node:path';

/** The environment of a server into which a module of a negative control is loaded before its own code. */
export function sabotagedBy(file: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${path.resolve(import.meta.dirname, file)}` };
}
