import { createReadStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { buildNupkg } from '../packages/testkit/src/nupkg-builder.ts';
import { mintKey, signIn } from './console.ts';
import type { ServerProcess } from './server-process.ts';

const MIB = 1024 * 1024;
/** As large as a package may be. */
export const LARGE_MIB = 250;

/** Writes a package of almost exactly this size, whose contents do not get smaller by packing. */
export function writeLargePackage(file: string, id: string, sizeMib: number): void {
  // Stored, not deflated, so that making it takes no longer than writing it; a new start makes new bytes.
  const data = new Uint8Array(sizeMib * MIB - 8 * 1024);
  for (let at = 0; at < data.length; at += 65_536)
    crypto.getRandomValues(data.subarray(at, Math.min(at + 65_536, data.length)));
  const extraEntries = [{ name: 'content/noise.bin', data, options: { level: 0 } as const }];
  writeFileSync(file, buildNupkg({ id, version: '1.0.0', extraEntries }));
}

/** A key that may push anything. */
export async function mintPushKey(server: ServerProcess): Promise<string> {
  const admin = await signIn(server.url);
  return (await mintKey(admin, admin.accountId, { comment: 'push', access: 'account' })).fullKey;
}

/** Pushes a file over HTTP without holding more of it than is on the way. */
export async function pushFile(
  server: ServerProcess,
  key: string,
  file: string,
): Promise<{ status: number; reason: string; retryAfter: string | undefined }> {
  return await new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const sending = request(
      {
        hostname,
        port,
        method: 'PUT',
        path: '/api/v2/package',
        headers: { 'x-nuget-apikey': key, 'content-length': statSync(file).size },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            reason: answer.statusMessage ?? '',
            retryAfter: answer.headers['retry-after'],
          }),
        );
      },
    );
    sending.on('error', reject);
    createReadStream(file, { highWaterMark: MIB }).pipe(sending);
  });
}

/** The resident memory of a process, in MiB: now, and at its highest since it was last told to forget. */
function readMemory(pid: number): { nowMib: number; peakMib: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { nowMib: read('VmRSS'), peakMib: read('VmHWM') };
}

export interface MeasuredPush {
  readonly status: number;
  readonly beforeMib: number;
  /** What the process needed at most during the push, beyond what it had before. */
  readonly grownMib: number;
  readonly seconds: number;
}

/** Pushes a file and has the kernel tell how much memory the server needed for it at most. */
export async function measurePush(server: ServerProcess, key: string, file: string): Promise<MeasuredPush> {
  // The kernel then counts the peak anew.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const { nowMib: beforeMib } = readMemory(server.pid);
  const startedAt = performance.now();
  const { status } = await pushFile(server, key, file);
  const { peakMib } = readMemory(server.pid);
  return {
    status,
    beforeMib,
    grownMib: peakMib - beforeMib,
    seconds: (performance.now() - startedAt) / 1000,
  };
}
