import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createPrompts } from './prompts.ts';
import type { World } from './world.ts';

function createTerminal({ isTTY = true } = {}) {
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY,
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
  });
  const stderr = new PassThrough();
  const world: World = {
    env: {},
    homeDir: '/nowhere',
    stdin,
    stdout: new PassThrough(),
    stderr,
    interruption: new AbortController().signal,
  };
  return { prompts: createPrompts(world), stdin, modes, shown: () => String(stderr.read() ?? '') };
}

describe('a secret at the terminal', () => {
  it('is not echoed, and the terminal is given back', async () => {
    const { prompts, stdin, modes, shown } = createTerminal();
    const asking = prompts.askSecret('Password: ', '');
    stdin.write('correct horse\r');
    expect(await asking).toBe('correct horse');
    expect(shown()).toBe('Password: \n');
    expect(modes).toEqual([true, false]);
  });

  it.each([
    ['erasing', 'abx\u007fc\r', 'abc'],
    ['erasing a character of two units', 'a😀\u007fb\r', 'ab'],
    ['starting anew', 'wrong\u0015right\r', 'right'],
    ['a word that means something here', 'cancel\r', 'cancel'],
    ['no text', '\r', ''],
  ])('may be typed with %s', async (_name, typed, expected) => {
    const { prompts, stdin } = createTerminal();
    const asking = prompts.askSecret('', '');
    stdin.write(typed);
    expect(await asking).toBe(expected);
  });

  it('holds no part of an arrow key', async () => {
    const { prompts, stdin } = createTerminal();
    const asking = prompts.askSecret('', '');
    stdin.write('ab');
    await new Promise((resolve) => setImmediate(resolve));
    stdin.write('\u001b[D');
    await new Promise((resolve) => setImmediate(resolve));
    stdin.write('c\r');
    expect(await asking).toBe('abc');
  });

  it.each(['\u0003', '\u0004'])('may be refused with %j, and the terminal is given back', async (typed) => {
    const { prompts, stdin, modes } = createTerminal();
    const asking = prompts.askSecret('', '');
    stdin.write(typed);
    await expect(asking).rejects.toMatchObject({ code: 'cli.cancelled', exitCode: 130 });
    expect(modes).toEqual([true, false]);
  });

  it('ends with the terminal', async () => {
    const { prompts, stdin } = createTerminal();
    const asking = prompts.askSecret('', '');
    stdin.end();
    await expect(asking).rejects.toMatchObject({ code: 'cli.cancelled' });
  });
});

describe('questions', () => {
  it('asked one after the other share what was pasted at once', async () => {
    const { prompts, stdin } = createTerminal();
    const first = prompts.ask('E-mail: ', '');
    stdin.write('ada@example.com\nhunter2 hunter2\n');
    expect(await first).toBe('ada@example.com');
    expect(await prompts.askSecret('Password: ', '')).toBe('hunter2 hunter2');
  });

  it('are not asked without a terminal; the option to use is named', async () => {
    const { prompts } = createTerminal({ isTTY: false });
    await expect(prompts.ask('E-mail: ', 'Give --email.')).rejects.toMatchObject({
      exitCode: 2,
      remedy: 'Give --email.',
    });
    await expect(prompts.confirm('Sure?')).rejects.toMatchObject({
      exitCode: 2,
      remedy: 'Add --yes to go ahead without a question.',
    });
  });

  it.each(['', 'n', 'no', 'x', 'yesterday'])('of yes or no take %j as no', async (answer) => {
    const { prompts, stdin } = createTerminal();
    const asking = prompts.confirm('Sure?');
    stdin.write(`${answer}\n`);
    await expect(asking).rejects.toMatchObject({ code: 'cli.cancelled' });
  });
});

describe('stdin', () => {
  it('loses its last line end only', async () => {
    const { prompts, stdin } = createTerminal({ isTTY: false });
    stdin.end(' pass word \n\r\n');
    expect(await prompts.readStdin()).toBe(' pass word \n');
  });

  it('is not read without end', async () => {
    const { prompts, stdin } = createTerminal({ isTTY: false });
    stdin.end('x'.repeat(70_000));
    await expect(prompts.readStdin()).rejects.toMatchObject({ exitCode: 2 });
  });
});
