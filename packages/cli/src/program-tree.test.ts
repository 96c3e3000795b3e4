import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listCommands } from './completion/tree.ts';
import { createProgram, runProgram } from './program.ts';
import { makeKey } from './scan/planted-keys.ts';
import type { World } from './world.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-tree-'));
  writeFileSync(path.join(folder, 'file'), 'account,comment,access\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CALLER = makeKey().fullKey;
// Nothing listens at the discard port.
const ENV = { KEYREEVE_URL: 'http://127.0.0.1:9', KEYREEVE_API_KEY: CALLER };

function openWorld(): { world: World; stdout: PassThrough; stderr: PassThrough } {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end();
  const interruption = new AbortController().signal;
  const env = { ...ENV, XDG_CONFIG_HOME: folder };
  return { world: { env, homeDir: folder, stdin, stdout, stderr, interruption }, stdout, stderr };
}

async function keyreeve(...words: readonly string[]) {
  const { world, stdout, stderr } = openWorld();
  const exitCode = await runProgram(world, words);
  return { exitCode, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

const PROGRAM = createProgram(openWorld().world, { exitCode: 0 });

function leaves(command: Command, words: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[words.join(' '), command]];
  return command.commands.flatMap((child) => leaves(child, [...words, child.name()]));
}

const LEAVES = leaves(PROGRAM);
/** They start the server's own program, which has tests of its own. */
const OF_SERVER = /^(serve|backup|restore|doctor|audit verify|(?:master-key|pepper)\b.*)$/;

/** Something for every argument and every option that must be given. */
function wordsFor(command: Command): string[] {
  const values = command.registeredArguments.map((argument) => {
    if (argument.argChoices !== undefined) return argument.argChoices[0] ?? '';
    return /file|path/.test(argument.name()) ? path.join(folder, 'file') : 'acc_1=1';
  });
  const required = command.options.filter(({ mandatory }) => mandatory);
  return [...values, ...required.flatMap(({ long }) => [long ?? '', 'x'])];
}

describe('every command', () => {
  it.each(LEAVES)('%s explains itself', async (place, command) => {
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
    const help = await keyreeve(...place.split(' '), '--help');
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: keyreeve ${place}`);
  });

  it.each(LEAVES.filter(([place]) => !OF_SERVER.test(place)))(
    '%s speaks JSON with --json, ends with a documented code and shows no secret',
    async (place, command) => {
      const words = place.split(' ');
      const { exitCode, stdout, stderr } = await keyreeve(...words, ...wordsFor(command), '--json', '--yes');
      expect([0, 1, 2, 3]).toContain(exitCode);
      if (stdout !== '') expect(JSON.parse(stdout)).toBeTypeOf('object');
      else
        expect(JSON.parse(stderr)).toMatchObject({
          error: { code: expect.any(String), message: expect.any(String) },
        });
      expect(stdout + stderr).not.toContain(CALLER.slice(20, 32));
    },
  );

  it.each(LEAVES)('%s refuses a key as an argument or option before it is used', async (place) => {
    const { fullKey, secretKey } = makeKey();
    for (const word of [fullKey, secretKey, `--comment=${fullKey}`, `--x=${secretKey}`]) {
      const refused = await keyreeve(...place.split(' '), word);
      expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
      expect(refused.stderr).toContain('history');
      expect(refused.stderr).not.toContain(secretKey.slice(0, 8));
    }
  });
});

describe('wrong usage', () => {
  it.each([
    [['keys'], 'A command is missing.'],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['keys', 'list', '--status', 'lost'], 'is invalid. Allowed choices are'],
    [['keys', 'show'], "missing required argument 'key'"],
  ])('%j is one JSON document for scripts', async (words, message) => {
    const refused = await keyreeve(...words, '--json');
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(JSON.parse(refused.stderr)).toMatchObject({
      error: { code: 'cli.usage', message: expect.stringContaining(message) },
    });
  });

  it('repeats no value that may be a secret', async () => {
    const refused = await keyreeve('keys', 'list', '--status', 'hunter2-hunter2');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).not.toContain('hunter2');
  });
});

describe('the list for completion', () => {
  const entries = listCommands(PROGRAM);

  it('has every command', () => {
    const places = entries.map(({ place }) => place);
    for (const [place] of LEAVES) expect(places).toContain(place);
  });

  it('has no option that takes a value in one command and none in another', () => {
    const hasValue = new Map<string, boolean>();
    for (const { options, place } of entries) {
      for (const option of options) {
        for (const flag of option.flags) {
          expect(hasValue.get(flag) ?? option.hasValue, `${place} ${flag}`).toBe(option.hasValue);
          hasValue.set(flag, option.hasValue);
        }
      }
    }
  });

  it('has nothing that means something to a shell', () => {
    for (const { place, options, values } of entries) {
      const words = [
        place,
        ...values.choices,
        ...options.flatMap(({ flags, choices }) => [...flags, ...choices]),
      ];
      for (const word of words) expect(word).toMatch(/^[\w. -]*$/);
    }
  });
});
