import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildNupkg, type NupkgSpec } from '../packages/testkit/src/nupkg-builder.ts';
import { type Run, type RunOptions, run } from './run.ts';

/** A real package client under mono. */
export interface NugetClient {
  readonly name: string;
  /** `key` null: none on the command line, and none stored. */
  push(file: string, key: string | null, source: string, ...options: readonly string[]): Promise<Run>;
  delete(id: string, version: string, key: string, source: string): Promise<Run>;
  /** The lines of the list: `Id 1.0.0`. */
  list(source: string, ...options: readonly string[]): Promise<Run>;
  /** Installs into a folder of its own below that of the packages, past all caches. */
  install(id: string, source: string, into: string, ...options: readonly string[]): Promise<Run>;
  /** Finds packages by the search service of a V3 source. */
  search(term: string, source: string, ...options: readonly string[]): Promise<Run>;
  /** Restores what a `packages.config` names; the file stands in the folder of the packages. */
  restore(file: string, source: string, into: string): Promise<Run>;
  /** Stores a key for a source in the client's own configuration. */
  storeKey(key: string, source: string): Promise<Run>;
}

export interface NugetClients {
  /** nuget.exe 5.8, from npm. */
  readonly modern: NugetClient;
  /** nuget 2.8.7, as Debian ships it. */
  readonly old: NugetClient;
  /** Writes a package to disk; returns the file name for `push` and the bytes for comparisons. */
  writePackage(spec: NupkgSpec): { readonly file: string; readonly bytes: Uint8Array };
}

const MODERN_EXE = path.resolve(import.meta.dirname, '../node_modules/nuget-exe/nuget-5.8.0.exe');
const OLD_EXE = '/usr/lib/nuget/NuGet.exe';
const WAKE_AFTER_MS = 15_000;
/**
 * The threads of mono 6.8 race when it ends: one run in forty hung on a busy machine, and now and then one was ended by
 * a signal, after its work was done. On one core it was one in two hundred, and none was ended by a signal.
 */
const MONO = ['/usr/bin/taskset', '-c', firstCore(), '/usr/bin/mono'] as const;
const NO_CONFIG = '<?xml version="1.0" encoding="utf-8"?>\n<configuration />\n';

/** A core that this process may use: a container may have been given any. */
function firstCore(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? '0';
}

function runMono(args: readonly string[], options: RunOptions): Promise<Run> {
  const [program, ...words] = MONO;
  return run(program, [...words, ...args], options);
}

/**
 * Clients with a home, a configuration and caches of their own: stored keys and sources of whoever runs the
 * tests stay out, and what the tests store stays in.
 */
export function createNugetClients(folder: string): NugetClients {
  mkdirSync(folder, { recursive: true });
  const client = (name: string, exe: string, common: readonly string[]): NugetClient => {
    const home = path.join(folder, name);
    mkdirSync(home, { recursive: true });
    const config = path.join(home, 'nuget.config');
    writeFileSync(config, NO_CONFIG);
    const env = {
      HOME: home,
      NUGET_PACKAGES: path.join(home, 'packages'),
      NUGET_HTTP_CACHE_PATH: path.join(home, 'cache'),
    };
    // In the folder of the packages: the old client takes relative paths only.
    const withCommon = (args: readonly string[]) => [
      exe,
      ...args,
      '-NonInteractive',
      '-ConfigFile',
      config,
      ...common,
    ];
    const options = { cwd: folder, env, wakeAfterMs: WAKE_AFTER_MS };
    const call = (...args: readonly string[]) => runMono(withCommon(args), options);
    const callAtTerminal = (...args: readonly string[]) => {
      const words = [...MONO, ...withCommon(args)].map((word) => `'${word}'`);
      const command = `stty cols 200; ${words.join(' ')}`;
      return run('/usr/bin/script', ['-qec', command, '/dev/null'], { cwd: folder, env });
    };
    return {
      name,
      // The old client lists nothing, for ever, unless it writes to a terminal.
      list: (source, ...more) =>
        (exe === OLD_EXE ? callAtTerminal : call)('list', '-Source', source, ...more),
      install: (id, source, into, ...more) =>
        call('install', id, '-Source', source, '-OutputDirectory', into, '-NoCache', ...more),
      push: (file, key, source, ...more) =>
        call('push', file, ...(key === null ? [] : [key]), '-Source', source, ...more),
      delete: (id, version, key, source) => call('delete', id, version, key, '-Source', source),
      // The one command that takes no file of configuration; the home is our own all the same.
      search: (term, source, ...more) =>
        runMono([exe, 'search', term, '-Source', source, '-NonInteractive', ...more], options),
      restore: (file, source, into) =>
        call('restore', file, '-Source', source, '-PackagesDirectory', into, '-NoCache'),
      storeKey: (key, source) => call('setapikey', key, '-Source', source),
    };
  };
  return {
    modern: client('nuget-5.8', MODERN_EXE, ['-ForceEnglishOutput']),
    old: client('nuget-2.8.7', OLD_EXE, []),
    writePackage: (spec) => {
      const file = `${spec.id}.${spec.version}.nupkg`;
      const bytes = buildNupkg(spec);
      writeFileSync(path.join(folder, file), bytes);
      return { file, bytes };
    },
  };
}
