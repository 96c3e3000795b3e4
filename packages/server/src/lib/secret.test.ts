import { format, inspect } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.ts';

const VALUE = 'kr_0123456789ABCDEF_hush';

/** What a template string does with a value; written out, since the linter forbids the slip itself. */
function inTemplate(value: unknown): string {
  return `bad ${value as string}`;
}

describe('Secret', () => {
  const secret = new Secret(VALUE);

  it('gives its value to whoever asks for it by name', () => {
    expect(secret.reveal()).toBe(VALUE);
  });

  it.each<[string, () => string]>([
    ['a template', () => inTemplate(secret)],
    ['a concatenation', () => `x${String(secret)}`],
    ['a joined list', () => [secret, secret].join()],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['inspect', () => inspect({ deep: { secret } }, { depth: 9, showHidden: true, getters: true })],
    ['inspect without custom printers', () => inspect(secret, { customInspect: false, showHidden: true })],
    ['format', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    ['the message of an error', () => inspect(new Error(inTemplate(secret), { cause: secret }))],
    [
      'its members',
      () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret), Object.assign({}, secret)]),
    ],
    ['a copy', () => JSON.stringify(structuredClone({ secret }))],
  ])('never prints its value in %s', (_name, print) => {
    expect(print()).not.toContain('hush');
  });

  it('never prints its value in a log line', () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    logger.info(
      { secret, err: new Error('failed', { cause: secret }), nested: { list: [secret] } },
      inTemplate(secret),
    );
    logger.error(secret, 'alone %s %o %j', secret, secret, secret);
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('[secret]');
  });
});
