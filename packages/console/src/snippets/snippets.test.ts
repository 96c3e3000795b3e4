import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  buildSnippet,
  renderSnippet,
  SNIPPET_KINDS,
  type SnippetKind,
  type SnippetOptions,
} from './snippets.ts';

const API_KEY = 'kr_0123456789ABCDEF';
const SECRET_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD';
const SECRETS = { secretKey: SECRET_KEY, fullKey: `${API_KEY}_${SECRET_KEY}` };
const ENVIRONMENT = { KEYREEVE_API_KEY: API_KEY, KEYREEVE_SECRET_KEY: SECRET_KEY };
const MODES = ['values', 'environment'] as const;
const ADDRESSES = [
  'https://hayama.keys.example',
  'http://localhost:8080/',
  'http://[::1]:8080',
  'https://keys.example/it\'s $(here) "now"; `id`\\',
] as const;

function render(kind: SnippetKind, options: Partial<SnippetOptions> = {}): string {
  const parts = buildSnippet(kind, {
    baseUrl: 'https://hayama.keys.example',
    apiKey: API_KEY,
    mode: 'values',
    ...options,
  });
  return renderSnippet(parts, SECRETS);
}

function run(file: string, args: readonly string[], env: Readonly<Record<string, string>>): string {
  const { error, status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
    timeout: 20_000,
  });
  if (error !== undefined) throw error;
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

/**
 * Runs a snippet in bash with a function in place of the program, and returns the words that it was given. Like zsh,
 * it refuses a word that looks like a pattern of file names.
 */
function wordsGivenTo(program: string, script: string, env: Readonly<Record<string, string>>): string[] {
  const standIn = `${program}() { printf '%s\\0' "$@"; }\n`;
  return run('bash', ['--norc', '-O', 'failglob', '-c', `${standIn}${script}`], env)
    .split('\0')
    .slice(0, -1);
}

/** The address as a server understands it, whichever characters of it are spelled with `%`. */
function meaningOf(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + decodeURIComponent(pathname).replace(/\/$/, '');
}

const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-snippets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(MODES)('with the key from %s', (mode) => {
  const env = mode === 'values' ? {} : ENVIRONMENT;
  const login = { auth_mode: 'apikey', apikey: API_KEY, secretkey: SECRET_KEY };

  test.each(ADDRESSES)('curl sends the pair to %s as bash reads the snippet', (baseUrl) => {
    const words = wordsGivenTo('curl', render('curl', { baseUrl, mode }), env);
    expect(words.filter((_, index) => index !== 3 && index !== 5)).toEqual([
      '--request',
      'POST',
      '--url',
      '--data',
    ]);
    expect(meaningOf(words[3] ?? '')).toBe(`${meaningOf(baseUrl)}/iam/login`);
    expect(JSON.parse(words[5] ?? '')).toEqual(login);
  });

  test.each([ADDRESSES[0], ADDRESSES[3]])('Python sends the pair to %s', (baseUrl) => {
    const standIn = [
      'import json',
      'class Response: pass',
      'def request(*args, **rest):',
      '    response = Response()',
      '    response.text = json.dumps([args, rest])',
      '    return response',
    ];
    writeFileSync(path.join(folder, 'requests.py'), standIn.join('\n'));
    const script = path.join(folder, 'snippet.py');
    writeFileSync(script, render('python', { baseUrl, mode }));
    const output = run('python3', [script], { ...env, PYTHONDONTWRITEBYTECODE: '1' });
    const [[method, url], rest] = JSON.parse(output) as [[string, string], unknown];
    expect(method).toBe('POST');
    expect(meaningOf(url)).toBe(`${meaningOf(baseUrl)}/iam/login`);
    expect(rest).toEqual({ data: login });
  });

  test.each([ADDRESSES[0], ADDRESSES[3]])('JavaScript sends the pair to %s', (baseUrl) => {
    const standIn =
      'globalThis.fetch = async (url, init) => ({ text: async () => JSON.stringify([url, init]) });\n';
    const script = path.join(folder, 'snippet.mjs');
    writeFileSync(script, `${standIn}${render('javascript', { baseUrl, mode })}`);
    const [url, init] = JSON.parse(run(process.execPath, [script], env)) as [
      string,
      { method: string; headers: unknown; body: string },
    ];
    expect(meaningOf(url)).toBe(`${meaningOf(baseUrl)}/iam/login`);
    expect(init).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(init.body)).toEqual(login);
  });

  test.each(ADDRESSES)('nuget pushes with the full key to %s', (baseUrl) => {
    const words = wordsGivenTo('nuget', render('nuget', { baseUrl, mode }), env);
    expect([...words.slice(0, 3), ...words.slice(4)]).toEqual([
      'push',
      'MyPackage.1.0.0.nupkg',
      '-Source',
      '-ApiKey',
      SECRETS.fullKey,
    ]);
    expect(meaningOf(words[3] ?? '')).toBe(`${meaningOf(baseUrl)}/api/v2/package`);
  });

  test.each(SNIPPET_KINDS)('the parts of %s hold no secret', (kind) => {
    const parts = buildSnippet(kind, { baseUrl: ADDRESSES[0], apiKey: API_KEY, mode });
    expect(JSON.stringify(parts)).not.toContain(SECRET_KEY);
    const secrets = parts.flatMap((part) => ('secret' in part ? [part.secret] : []));
    const isHolding = mode === 'values' && kind !== 'github' && kind !== 'nginx';
    expect(secrets).toHaveLength(isHolding ? 1 : 0);
  });

  test('the comments speak Japanese, too, and bash reads them as comments', () => {
    const script = render('curl', { mode, locale: 'ja' });
    expect(script).toContain('# キーを短期間のトークンと交換\n');
    expect(wordsGivenTo('curl', script, env)).toHaveLength(6);
  });
});

describe('the samples that users of the first platform copied', () => {
  const document = readFileSync(
    path.resolve(import.meta.dirname, '../../../../e2e/seeds/generate-a-token.md'),
    'utf8',
  );
  const sampleOf = (language: string): string =>
    (new RegExp(`\`\`\`${language}\\n([^]*?)\\n\`\`\``).exec(document)?.[1] ?? '')
      .replace('https://{dataplant_subdomain}.forepaas.io', 'https://hayama.keys.example')
      .replace('"apikey": ""', `"apikey": "${API_KEY}"`)
      .replace('"secretkey": ""', `"secretkey": "${SECRET_KEY}"`);

  test.each([
    ['bash', 'curl'],
    ['python', 'python'],
  ] as const)('in %s are ours to the letter, below a line that says what it does', (language, kind) => {
    expect(sampleOf(language)).toContain(SECRET_KEY);
    expect(render(kind)).toBe(`# exchange the key for a short-lived token\n${sampleOf(language)}`);
  });
});

describe('Publish-PSResource', () => {
  test('registers the gallery and publishes with the full key', () => {
    expect(render('psresource')).toBe(
      [
        '# once: make the gallery known',
        "Register-PSResourceRepository -Name Keyreeve -Uri 'https://hayama.keys.example/api/v2' -Trusted",
        '',
        '# publish a module',
        `Publish-PSResource -Path ./MyModule -Repository Keyreeve -ApiKey '${SECRETS.fullKey}'`,
      ].join('\n'),
    );
  });

  test('takes the key from the environment as PowerShell spells it', () => {
    expect(render('psresource', { mode: 'environment' })).toContain(
      '-ApiKey "${env:KEYREEVE_API_KEY}_${env:KEYREEVE_SECRET_KEY}"',
    );
  });

  test('is not led astray by an address', () => {
    const [, address = ''] = /-Uri '([^']*)'/.exec(render('psresource', { baseUrl: ADDRESSES[3] })) ?? [];
    expect(address).toMatch(/^[\w:/.%-]+$/);
  });
});

describe('GitHub Actions', () => {
  test('take the key from the secrets of the repository, in either mode', () => {
    const step = render('github');
    expect(step).toBe(render('github', { mode: 'environment' }));
    expect(step).toBe(
      [
        '# once: store the full key with  gh secret set KEYREEVE_API_KEY',
        '- name: Push packages',
        '  shell: bash',
        '  env:',
        '    KEYREEVE_API_KEY: ${{ secrets.KEYREEVE_API_KEY }}',
        '  run: >-',
        '    dotnet nuget push "artifacts/*.nupkg" --skip-duplicate',
        '    --source https://hayama.keys.example/api/v2/package',
        '    --api-key "$KEYREEVE_API_KEY"',
      ].join('\n'),
    );
  });

  test('run a command that bash reads as one line', () => {
    const folded = (render('github').split('>-\n')[1] ?? '').replaceAll(/\n\s*/g, ' ');
    expect(wordsGivenTo('dotnet', folded, { KEYREEVE_API_KEY: SECRETS.fullKey })).toEqual([
      'nuget',
      'push',
      'artifacts/*.nupkg',
      '--skip-duplicate',
      '--source',
      'https://hayama.keys.example/api/v2/package',
      '--api-key',
      SECRETS.fullKey,
    ]);
  });
});

describe('nginx', () => {
  test('asks before each request, and only a server that can prove its name', () => {
    const text = render('nginx');
    expect(text).toContain('proxy_pass https://hayama.keys.example/v1/authorize;');
    expect(text).toContain('proxy_ssl_verify on;');
    expect(text.split('{')).toHaveLength(text.split('}').length);
    expect(text).not.toContain(API_KEY);
  });

  test('needs no certificate over plain http', () => {
    expect(render('nginx', { baseUrl: 'http://localhost:8080' })).not.toContain('proxy_ssl');
  });

  test('finds no variable and no end of a directive in an address', () => {
    const [, address = ''] =
      /proxy_pass (\S+)\/v1\/authorize;/.exec(render('nginx', { baseUrl: ADDRESSES[3] })) ?? [];
    expect(address).toMatch(/^https:[\w:/.%-]+$/);
  });
});

describe('a value that would need quoting', () => {
  test('does not get out of its string as an API key', () => {
    const apiKey = `kr_'"; exit 1 #\\`;
    const words = wordsGivenTo('curl', render('curl', { apiKey }), {});
    expect(JSON.parse(words[5] ?? '')).toMatchObject({ apikey: apiKey });
  });

  test('is refused as a secret, without being repeated', () => {
    const parts = buildSnippet('curl', { baseUrl: ADDRESSES[0], apiKey: API_KEY, mode: 'values' });
    const hostile = "'; rm -rf /";
    const act = () => renderSnippet(parts, { secretKey: hostile, fullKey: hostile });
    expect(act).toThrow('secretKey is not a secret of this server.');
  });
});
