import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CliError, usageError } from '../failures.ts';
import type { World } from '../world.ts';
import { Findings, type Source } from './findings.ts';
import { type GitReader, isShallow, readHistory, readStaged } from './git.ts';
import { TextScan } from './text-scan.ts';
import { readParts, reasonOf, walk } from './walk.ts';

const TURN_MS = 50;

export interface ScanOptions {
  readonly paths: readonly string[];
  readonly prefixes: readonly string[];
  /** API keys that are not told of. */
  readonly ignored: ReadonlySet<string>;
  readonly isHistoryRead: boolean;
  readonly isUnreachableRead: boolean;
  /** Instead of files: what is staged in the repositories at the paths. */
  readonly isStagedRead: boolean;
  readonly isStdinRead: boolean;
}

interface Scan {
  readonly world: World;
  readonly options: ScanOptions;
  readonly findings: Findings;
  readonly told: (text: string) => void;
  turnAt: number;
}

/** Files are read without giving up the turn, which is many times faster; every now and then Ctrl-C gets one. */
async function takeTurn(scan: Scan): Promise<void> {
  if (performance.now() < scan.turnAt) return;
  const { fileCount, objectCount, byteCount, all } = scan.findings;
  const objects = objectCount === 0 ? '' : `, ${objectCount} objects`;
  scan.told(`${fileCount} files${objects}, ${Math.round(byteCount / 1e6)} MB, ${all.length} keys`);
  await nextTurn();
  scan.turnAt = performance.now() + TURN_MS;
}

function openText(scan: Scan): { push(part: Buffer): void; end(source: Source): void } {
  const text = new TextScan(scan.options.prefixes);
  return {
    push: (part) => {
      scan.findings.byteCount += part.length;
      text.push(part);
    },
    end: (source) => {
      const { hits, isCut } = text.end();
      for (const hit of hits) {
        if (!scan.options.ignored.has(hit.key.apiKey)) scan.findings.add(source, hit);
      }
      if (isCut)
        scan.findings.notes.push(
          `${source.path ?? source.object ?? 'stdin'} has too many words that may be halves of keys; some were not looked at.`,
        );
    },
  };
}

async function scanFile(scan: Scan, path: string, exact: string | Buffer): Promise<void> {
  const text = openText(scan);
  for (const part of readParts(exact, scan.options.paths.includes(path))) {
    text.push(part);
    await takeTurn(scan);
  }
  text.end({ kind: 'file', path, commit: null, object: null });
  scan.findings.fileCount += 1;
}

function createReader(scan: Scan): GitReader {
  let text = openText(scan);
  let source: Source = { kind: 'blob', path: null, commit: null, object: null };
  return {
    begin: ({ kind, id, commit, path }) => {
      text = openText(scan);
      source = { kind, path, commit, object: id };
    },
    part: (part) => text.push(part),
    end: async () => {
      text.end(source);
      scan.findings.objectCount += 1;
      await takeTurn(scan);
    },
  };
}

async function scanHistory(scan: Scan, folder: string): Promise<void> {
  const repository = { folder, env: scan.world.env };
  const missing = await readHistory(repository, scan.options.isUnreachableRead, createReader(scan));
  if (missing > 0) scan.findings.notes.push(`${folder} lacks ${missing} objects; they were not read.`);
  if (await isShallow(repository))
    scan.findings.notes.push(`${folder} is a shallow clone: its older commits were not read.`);
}

async function scanStaged(scan: Scan, folder: string): Promise<void> {
  await readStaged({ folder, env: scan.world.env, isOfHook: true }, createReader(scan));
}

function toReason(error: unknown): string {
  if (error instanceof CliError) return error.message;
  if (error instanceof Error && 'code' in error) return reasonOf(error);
  throw error;
}

/** @returns whether there was a repository */
async function scanPath(scan: Scan, root: string): Promise<boolean> {
  const { findings, options } = scan;
  let hasRepository = false;
  const skip = (path: string, reason: string, isAskedFor: boolean) => {
    findings.skipped.push({ path, reason });
    // Whoever guards a branch with this must not take what git refused to show for clean.
    if (isAskedFor || path === root) findings.isComplete = false;
  };
  for (const met of walk(root)) {
    const isRepository = met.kind === 'repository';
    hasRepository ||= isRepository;
    try {
      if (met.kind === 'file') await scanFile(scan, met.path, met.exact);
      else if (met.kind === 'unreadable') skip(met.path, met.reason, false);
      else if (options.isHistoryRead) await scanHistory(scan, met.path);
      else findings.notes.push(`The history of ${met.path} was not read: add --git.`);
    } catch (error) {
      skip(met.path, toReason(error), isRepository);
    }
  }
  return hasRepository;
}

async function scanPaths(scan: Scan): Promise<void> {
  const { paths, isHistoryRead } = scan.options;
  let hasRepository = false;
  for (const root of paths) hasRepository = (await scanPath(scan, root)) || hasRepository;
  if (!isHistoryRead || hasRepository) return;
  scan.findings.isComplete = false;
  scan.findings.notes.push(
    `There is no repository in ${paths.join(', ')}, so no history was read: name its top folder.`,
  );
}

/**
 * Looks for keys on stdin, in files, and in the history of repositories.
 *
 * @param told called now and then with how far it is
 * @throws cli.usage when a path that was named is not there, cli.git when what is staged cannot be read
 */
export async function runScan(
  world: World,
  options: ScanOptions,
  told: (text: string) => void,
): Promise<Findings> {
  for (const root of options.paths) {
    if (statSync(root, { throwIfNoEntry: false }) === undefined)
      throw usageError(`There is no file or folder ${root}.`);
  }
  const findings = new Findings();
  const scan: Scan = { world, options, findings, told, turnAt: performance.now() + TURN_MS };
  if (options.isStdinRead) {
    const text = openText(scan);
    for await (const part of world.stdin) text.push(Buffer.from(part as Buffer));
    text.end({ kind: 'stdin', path: null, commit: null, object: null });
  }
  if (!options.isStagedRead) await scanPaths(scan);
  else for (const root of options.paths) await scanStaged(scan, root);
  return findings;
}
