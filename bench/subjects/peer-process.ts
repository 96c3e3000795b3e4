import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const FOLDER = path.resolve(import.meta.dirname, '../peers');

export function peerFile(name: string): string {
  return path.join(FOLDER, name);
}

/** As in the lock file of the peers. */
export function versionOf(name: string): string {
  const text = readFileSync(path.join(FOLDER, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, { version: string }> };
  return packages[`node_modules/${name}`]?.version ?? 'unknown';
}

export function makeFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-peer-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Installs the peers from their lock file, unless they are there as it says; no script of theirs is run. */
export function installPeers(): void {
  const wanted = readFileSync(peerFile('package-lock.json'), 'utf8');
  if (isInstalled(wanted)) return;
  process.stderr.write('Installing the peers (once) ...\n');
  const result = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: FOLDER, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The peers could not be installed:\n${result.stderr}`);
}

function isInstalled(wanted: string): boolean {
  type Lock = { packages: Record<string, { version?: string }> };
  const read = (text: string) => (JSON.parse(text) as Lock).packages;
  try {
    const found = read(readFileSync(peerFile('node_modules/.package-lock.json'), 'utf8'));
    const names = Object.keys(found);
    const lock = read(wanted);
    return names.length > 0 && names.every((name) => found[name]?.version === lock[name]?.version);
  } catch {
    return false; // npm has not been here yet.
  }
}
