import type { Readable, Writable } from 'node:stream';

export type Input = Readable & { readonly isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown };
export type Output = Writable & {
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
};

/** What the program touches outside itself; tests hand in their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborts at Ctrl-C, for commands that want to end in order. */
  readonly interruption: AbortSignal;
}

/** Writes and waits until the reader can take more, so that a long list does not pile up in memory. */
export async function write(stream: Writable, text: string): Promise<void> {
  if (text === '' || stream.write(text)) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}
