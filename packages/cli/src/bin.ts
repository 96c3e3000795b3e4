#!/usr/bin/env node
import { homedir } from 'node:os';
import process from 'node:process';
import { EXIT } from './failures.ts';
import { runProgram } from './program.ts';

const interruption = new AbortController();
const words = process.argv.slice(2);

// `keyreeve keys list | head` closes the pipe early; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});
// Only an import ends in order at Ctrl-C, after the batch that is under way; a second one ends it at once.
if (words.includes('import-keys')) {
  process.once('SIGINT', () => interruption.abort());
}

process.exitCode = await runProgram(
  {
    env: process.env,
    homeDir: homedir(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interruption: interruption.signal,
  },
  words,
);
