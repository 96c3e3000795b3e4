import { createHash } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { DAY_MS, MINUTE_MS } from '../../lib/clock.ts';
import { BlobDamaged } from './blob-errors.ts';
import type { StoredBlob } from './blob-store.ts';

/** A stored blob before anybody has looked at its bytes. */
export interface BlobSource {
  readonly sha512Hex: string;
  readonly sizeBytes: number;
  /** Another one whenever the bytes were written anew. */
  readonly revision: string;
  /** The bytes from `start` up to, but not including, `end`, of exactly this revision. */
  read(start: number, end: number): Promise<Readable>;
}

interface Verdict {
  readonly revision: string;
  readonly isSound: boolean;
  readonly at: number;
}

const VERDICTS_MAX = 5_000;
/** How long parts are given out of a blob that was once verified whole. */
const SOUND_FOR_MS = DAY_MS;
/** How long a blob that was found damaged is refused without another look, which costs a whole read. */
const DAMAGED_FOR_MS = MINUTE_MS;
/** Whole reads that serve only a part of a blob: so many at once, however many ask. */
const VERIFICATIONS_MAX = 2;

/**
 * Lets no bytes out of a blob that is not what its name says. The whole of a blob is hashed while it is streamed. A
 * part proves nothing about itself, so the blob is read whole before the first part, and what was found is
 * remembered as long as its revision stays the same.
 */
export function createVerifiedReads(options: {
  readonly now: () => number;
  readonly onDamaged: (sha512Hex: string) => void;
}): (source: BlobSource) => StoredBlob {
  const { now, onDamaged } = options;
  const verdicts = new Map<string, Verdict>();
  const running = new Map<string, Promise<void>>();
  const enter = createGate(VERIFICATIONS_MAX);

  const recall = ({ sha512Hex, revision }: BlobSource): boolean | null => {
    const verdict = verdicts.get(sha512Hex);
    if (verdict?.revision !== revision) return null;
    const isFresh = now() - verdict.at < (verdict.isSound ? SOUND_FOR_MS : DAMAGED_FOR_MS);
    return isFresh ? verdict.isSound : null;
  };
  const remember = ({ sha512Hex, revision }: BlobSource, isSound: boolean): void => {
    verdicts.delete(sha512Hex);
    verdicts.set(sha512Hex, { revision, isSound, at: now() });
    const [oldest] = verdicts.keys();
    if (verdicts.size > VERDICTS_MAX && oldest !== undefined) verdicts.delete(oldest);
    if (!isSound) onDamaged(sha512Hex);
  };

  const readWhole = async (source: BlobSource): Promise<Readable> => {
    const check = createHashCheck(source.sha512Hex, (isSound) => remember(source, isSound));
    // The check carries every failure of the source on to its reader.
    pipeline(await source.read(0, source.sizeBytes), check, () => {});
    return check;
  };
  const verify = (source: BlobSource): Promise<void> => {
    const key = `${source.sha512Hex} ${source.revision}`;
    const found = running.get(key);
    if (found !== undefined) return found;
    const work = enter(async () => {
      const whole = await readWhole(source);
      await finished(whole.resume());
    }).finally(() => running.delete(key));
    running.set(key, work);
    return work;
  };

  return (source) => ({
    sizeBytes: source.sizeBytes,
    async stream(start = 0, end = source.sizeBytes) {
      const verdict = recall(source);
      if (verdict === false) throw new BlobDamaged(source.sha512Hex);
      const from = Math.max(0, start);
      const to = Math.min(end, source.sizeBytes);
      if (from === 0 && to === source.sizeBytes) return await readWhole(source);
      if (from >= to) return Readable.from([]);
      if (verdict === null) await verify(source);
      const check = createLengthCheck(source.sha512Hex, to - from);
      pipeline(await source.read(from, to), check, () => {});
      return check;
    },
  });
}

/** Passes bytes on one chunk late: the last chunk leaves only when the hash of the whole is right. */
function createHashCheck(sha512Hex: string, tell: (isSound: boolean) => void): Transform {
  const hash = createHash('sha512');
  let held: Buffer | null = null;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const ready = held;
      held = chunk;
      done(null, ready ?? undefined);
    },
    flush(done) {
      const isSound = hash.digest('hex') === sha512Hex;
      tell(isSound);
      if (isSound) done(null, held ?? undefined);
      else done(new BlobDamaged(sha512Hex));
    },
  });
}

/** A file that shrank since would leave its reader waiting for bytes that never come. */
function createLengthCheck(sha512Hex: string, lengthBytes: number): Transform {
  let leftBytes = lengthBytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      leftBytes -= chunk.length;
      done(leftBytes < 0 ? new BlobDamaged(sha512Hex) : null, chunk);
    },
    flush: (done) => done(leftBytes === 0 ? null : new BlobDamaged(sha512Hex)),
  });
}

/** Lets so many at once work; the others wait in the order in which they came. */
function createGate(max: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (work) => {
    if (inside >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Whoever leaves hands his place on, so nobody slips in between.
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}
