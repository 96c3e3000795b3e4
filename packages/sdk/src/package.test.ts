import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error tools are plain JavaScript
import { buildSdk as buildUntyped } from '../../../tools/build-sdk.mjs';

const buildSdk = buildUntyped as (target: string, options: { isChecked: boolean }) => void;
const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../../..');
const modules = path.join(root, 'node_modules');
const ENTRIES = ['index', 'tokens', 'express', 'fastify', 'hono', 'next'];

/** Where somebody has installed the tarball, and nothing of this repository but what it names as dependencies. */
let folder: string;
let installed: string;
let tarball: Buffer;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'keyreeve-sdk-')));
  const built = path.join(folder, 'built');
  buildSdk(built, { isChecked: false });
  const pack = ['pack', built, '--offline', '--ignore-scripts', '--pack-destination', folder];
  await run('npm', pack, { cwd: folder, shell: process.platform === 'win32' });
  const file = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  tarball = readFileSync(path.join(folder, file));
  installed = path.join(folder, 'node_modules/@keyreeve/sdk');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', file, '--strip-components=1', '-C', installed], { cwd: folder });
  rmSync(built, { recursive: true });
  const { dependencies, peerDependencies } = readManifest();
  for (const name of [...Object.keys(dependencies), ...Object.keys(peerDependencies), '@types/node']) {
    const place = path.join(folder, 'node_modules', name);
    mkdirSync(path.dirname(place), { recursive: true });
    symlinkSync(path.join(modules, name), place, 'junction');
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as Manifest;
}

describe('the tarball', () => {
  it('has no fault that publint knows', async () => {
    const bytes = new Uint8Array(tarball);
    const { messages } = await publint({
      level: 'suggestion',
      strict: true,
      pack: { tarball: bytes.buffer },
    });
    expect(messages).toEqual([]);
  });

  it('has types that are right for each of its entries, for ESM', async () => {
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    if (result.types === false) throw new Error('The package has no types.');
    expect(Object.keys(result.entrypoints)).toHaveLength(ENTRIES.length);
    // As the profile `esm-only` of the tool does: it is meant for neither CommonJS nor the resolution of 2014.
    const others = result.problems.filter(
      (problem) => !('resolutionKind' in problem && /^node10$|-cjs$/.test(problem.resolutionKind)),
    );
    expect(others).toEqual([]);
  });

  it('holds what its users need, and no tests', () => {
    const files = readdirSync(installed, { recursive: true }).map(String);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
    expect(files.filter((name) => /\.test\.|\.ts$/.test(name) && !name.endsWith('.d.ts'))).toEqual([]);
  });

  it('needs no module of Node.js, so that browsers and edge servers can run it', () => {
    const { dependencies } = readManifest();
    const lib = path.join(installed, 'lib');
    const files = readdirSync(lib, { recursive: true }).map(String);
    const scripts = files.filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(ENTRIES.length);
    for (const name of scripts) {
      const text = readFileSync(path.join(lib, name), 'utf8');
      const { importedFiles } = ts.preProcessFile(text);
      const foreign = importedFiles.map((one) => one.fileName).filter((one) => !one.startsWith('.'));
      expect(Object.keys(dependencies), name).toEqual(expect.arrayContaining(foreign));
      expect(text, name).not.toMatch(/\b(?:Buffer|process|require|__dirname)\b[.(]/);
    }
  });
});

/** The Node that runs the tests, and, where there is one, the machine's own, which may be older. */
function findNodes(): string[] {
  const outside = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((place) => !place.includes('node_modules'));
  const candidates = outside.map((place) => path.join(place, 'node')).filter((file) => isExecutable(file));
  return [...new Set([process.execPath, ...candidates.slice(0, 1)].map((file) => realpathSync(file)))];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const SCRIPT = `
import { createClient, KeyreeveTransportError } from '@keyreeve/sdk';
import { createTokenVerifier } from '@keyreeve/sdk/tokens';
const options = { baseUrl: 'http://127.0.0.1:1', credential: { fullKey: 'kr_x' } };
const error = await createClient(options).GET('/v1/settings').catch((caught) => caught);
console.log(error instanceof KeyreeveTransportError, error.code);
const refused = await createTokenVerifier({ issuer: options.baseUrl }).verify('a.b.c').catch((caught) => caught);
console.log(refused.reason);
for (const name of ['express', 'hono', 'next']) {
  const { createKeyreeve } = await import('@keyreeve/sdk/' + name);
  await createKeyreeve(options).close();
}
console.log(typeof (await import('@keyreeve/sdk/fastify')).keyreeve);
`;

describe('installed somewhere else', () => {
  it.each(findNodes())('it runs under %s', async (node) => {
    writeFileSync(path.join(folder, 'use.mjs'), SCRIPT);
    const { stdout } = await run(node, ['use.mjs'], { cwd: folder, env: {} });
    expect(stdout).toBe('true client.unreachable\nmalformed\nfunction\n');
  });

  const TYPED_USE = `
import { createClient } from '@keyreeve/sdk';
import { createKeyreeve as forExpress } from '@keyreeve/sdk/express';
import { keyreeve } from '@keyreeve/sdk/fastify';
import { createKeyreeve as forHono, type KeyreeveVariables } from '@keyreeve/sdk/hono';
import { createKeyreeve as forNext, type KeyreeveContext } from '@keyreeve/sdk/next';
import { createTokenVerifier, isPermitted, TokenRefusedError } from '@keyreeve/sdk/tokens';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';

const connection = { baseUrl: 'https://keys.example.com', credential: { fullKey: 'kr_x' } };
export const id: Promise<string> = createClient(connection).GET('/v1/keys/self').then(({ data }) => data.key.id);

const guard = forExpress({ ...connection, clientIp: (request) => request.ip });
express().get('/reports/:id', guard({ action: 'report:read', resource: (request) => request.params['id'] }), (request, response) => {
  const [account, name]: [string | undefined, string] = [request.keyreeve?.accountId, request.params.id];
  response.json({ account, name });
});
express.Router().use(guard({ action: null }));

const app = fastify();
await app.register(keyreeve, { ...connection, clientIp: (request) => request.ip });
const onRequest = app.requireKey({ action: 'report:read', resource: (request) => request.params['id'] });
app.get('/reports/:id', { onRequest }, (request) => ({ account: request.keyreeve?.accountId }));
app.get<{ Params: { id: string } }>('/typed/:id', { onRequest }, (request) => request.params.id);
app.addHook('onRequest', onRequest);

const protect = forHono(connection);
new Hono<{ Variables: KeyreeveVariables }>().get('/reports', protect({ action: 'report:read' }), (c) => c.json({ account: c.get('keyreeve')?.accountId }));
new Hono().get('/reports/:id', protect({ action: 'report:read', resource: (c) => c.req.param('id') }), (c) => c.json({ account: c.get('keyreeve')?.accountId }));
new Hono<{ Bindings: { bucket: string }; Variables: KeyreeveVariables }>().use(protect({ action: null })).get('/', (c) => c.json([c.env.bucket, c.get('keyreeve')?.kind]));

const withKeyreeve = forNext(() => connection);
interface Context { params: Promise<{ id: string }> }
export const GET = withKeyreeve(
  { action: 'report:read', resource: async (_request, { params }) => (await params)['id'] },
  async (_request, { keyreeve: caller, params }: Context & KeyreeveContext) =>
    Response.json({ account: caller?.accountId, id: (await params).id }),
);
export const asNextCallsIt: (request: Request, context: Context) => Promise<Response> = GET;
export const POST = withKeyreeve({ action: null }, (request, { keyreeve: caller }) => Response.json([request.url, caller?.kind]));

const verifier = createTokenVerifier({ issuer: connection.baseUrl });
export async function mayRead(token: string): Promise<boolean> {
  try {
    const claims = await verifier.verify(token);
    return isPermitted(claims, 'report:read', claims.workspace);
  } catch (error) {
    if (error instanceof TokenRefusedError) return false;
    throw error;
  }
}
// @ts-expect-error an action is demanded
guard({});
// @ts-expect-error an address is demanded
forHono({ credential: { fullKey: 'kr_x' } });
`;

  const parsed = new Map<string, ts.SourceFile | undefined>();
  /** What the frameworks declare is the same for all resolutions: to read it takes longer than to check the use. */
  function shareFiles(options: ts.CompilerOptions): ts.CompilerHost {
    const host = ts.createCompilerHost(options);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, language, ...rest) => {
      const format = typeof language === 'object' ? language.impliedNodeFormat : '';
      const key = `${name} ${format}`;
      if (!parsed.has(key)) parsed.set(key, read(name, language, ...rest));
      return parsed.get(key);
    };
    return host;
  }

  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['preserve', 'bundler'],
  ])('its types are right for module %s and resolution %s', (module, moduleResolution) => {
    const file = path.join(folder, 'use.mts');
    writeFileSync(file, TYPED_USE);
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
    const { options } = ts.convertCompilerOptionsFromJson(
      {
        module,
        moduleResolution,
        target: 'es2023',
        lib: ['es2023'],
        ...strict,
        noPropertyAccessFromIndexSignature: true,
        noEmit: true,
        types: ['node'],
        skipLibCheck: false,
      },
      folder,
    );
    const program = ts.createProgram([file], options, shareFiles(options));
    const ours = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName === file || fileName.startsWith(installed));
    const faults = ours.flatMap((source) => [...ts.getPreEmitDiagnostics(program, source)]);
    expect(ours.length).toBeGreaterThan(ENTRIES.length);
    expect(faults.map((fault) => ts.flattenDiagnosticMessageText(fault.messageText, '\n'))).toEqual([]);
  });
});

/** Functions, classes and constants that a file exports and that have no docstring. */
function findUndocumented(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements
    .filter(
      (node): node is ts.FunctionDeclaration | ts.ClassDeclaration | ts.VariableStatement =>
        (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isVariableStatement(node)) &&
        (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false),
    )
    .filter((node) => ts.getJSDocCommentsAndTags(node).length === 0)
    .map((node) => node.getText().slice(0, 60));
}

/** Files whose exports users can reach: the entries, and whatever those export on. */
function listPublicFiles(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const further = source.statements
    .filter(ts.isExportDeclaration)
    .flatMap(({ moduleSpecifier }) =>
      moduleSpecifier && ts.isStringLiteral(moduleSpecifier) ? [moduleSpecifier.text] : [],
    );
  return [file, ...further.flatMap((name) => listPublicFiles(path.resolve(path.dirname(file), name)))];
}

describe('every exported function', () => {
  const entries = ENTRIES.map((name) => path.join(import.meta.dirname, `${name}.ts`));
  const files = [...new Set(entries.flatMap(listPublicFiles))].filter((file) => !file.includes('generated'));

  it.each(files)('has a docstring: %s', (file) => {
    expect(findUndocumented(file)).toEqual([]);
  });

  it('is looked at', () => {
    expect(files.length).toBeGreaterThan(10);
  });
});
