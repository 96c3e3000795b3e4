/**
 * How much memory a push of 250 MB takes: real HTTP into the product as it ships, in a process of its own, with the
 * packages in a folder and in an S3-compatible store. The peak is the kernel's own (`VmHWM`), from just before the
 * push; each run begins with a fresh process that has taken one small package.
 *
 * `npm run bench:push`
 */
import path from 'node:path';
import {
  LARGE_MIB,
  type MeasuredPush,
  measurePush,
  mintPushKey,
  pushFile,
  writeLargePackage,
} from '../e2e/large-push.ts';
import { openWorkplace, WITH_ADMIN } from '../e2e/server-process.ts';
import { startS3Server } from '../packages/testkit/src/s3-server.ts';

const RUNS = 5;
const LIMIT_MIB = 64;

const place = openWorkplace();
const s3 = await startS3Server();
const large = path.join(place.folder, 'large.nupkg');
const small = path.join(place.folder, 'small.nupkg');
writeLargePackage(large, 'Bench.Large', LARGE_MIB);
writeLargePackage(small, 'Bench.Small', 1);

async function runOnce(
  name: string,
  env: Readonly<Record<string, string>>,
  run: number,
): Promise<MeasuredPush> {
  const server = await place.start({
    data: `${name}-${run}`,
    env: { ...WITH_ADMIN, ...env, KEYREEVE_LOG_LEVEL: 'warn' },
  });
  const key = await mintPushKey(server);
  await pushFile(server, key, small);
  const measured = await measurePush(server, key, large);
  await server.stop();
  if (measured.status !== 201) throw new Error(`The push was answered with ${measured.status}.`);
  return measured;
}

let isWithin = true;
try {
  for (const [name, env] of Object.entries({ folder: {}, s3: s3.environment })) {
    for (let run = 1; run <= RUNS; run += 1) {
      const { beforeMib, grownMib, seconds } = await runOnce(name, env, run);
      isWithin &&= grownMib < LIMIT_MIB;
      process.stdout.write(
        `${name.padEnd(6)} run ${run}: ${beforeMib.toFixed(1)} MiB before, +${grownMib.toFixed(1)} MiB at most, ${seconds.toFixed(1)} s\n`,
      );
    }
  }
} finally {
  await place.close();
  await s3.close();
}
process.stdout.write(`${isWithin ? 'within' : 'BEYOND'} the limit of ${LIMIT_MIB} MiB for ${LARGE_MIB} MB\n`);
process.exitCode = isWithin ? 0 : 1;
