import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bondOfApiKey, bondOfSecretKey, isPair } from './key-shape.ts';
import { makeKey, randomText } from './planted-keys.ts';
import { TextScan } from './text-scan.ts';

const KEY = makeKey();
const { apiKey: ID, secretKey: SECRET, fullKey: FULL } = KEY;
const RANDOM_COUNT = 100_000;

/** The hits of a text that comes in parts of some size. */
function scan(text: string | Buffer, { prefixes = ['kr'], partBytes = 65_536 } = {}) {
  const bytes = Buffer.from(text as string);
  const scanner = new TextScan(prefixes);
  for (let at = 0; at < bytes.length; at += partBytes) scanner.push(bytes.subarray(at, at + partBytes));
  return scanner.end().hits;
}

/** `full key 3:12`, in the order of the text. */
function placesOf(text: string | Buffer, options?: Parameters<typeof scan>[1]): string[] {
  return scan(text, options)
    .toSorted((one, other) => one.spot.offset - other.spot.offset)
    .map(({ key, spelling, spot }) => {
      expect([key.apiKey, key.reveal()]).toEqual([ID, SECRET]);
      return `${spelling} ${spot.line}:${spot.column}`;
    });
}

const base64 = (text: string | Buffer) => Buffer.from(text as string).toString('base64');
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const wrap = (text: string, width: number, lineEnd = '\n') =>
  text.replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), `$&${lineEnd}`);

describe('the checksum', () => {
  it.each([
    ['kr_0123456789ABCDEF', 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG0z0dhD'],
    ['kr_zzzzzzzzzzzzzzzz', `${'0'.repeat(43)}4VVbKv`],
  ])('binds %s to its secret', (apiKey, secretKey) => {
    expect(isPair(apiKey, secretKey)).toBe(true);
    expect(bondOfApiKey(apiKey)).toBe(bondOfSecretKey(secretKey));
    expect(isPair(apiKey.replace(/.$/, 'x'), secretKey)).toBe(false);
  });
});

describe('a full key is found', () => {
  it.each<[string, string | Buffer, string]>([
    ['alone', FULL, '1:1'],
    ['in a file of variables', `A=1\nKEYREEVE_API_KEY=${FULL}\n`, '2:18'],
    ['after Japanese text, by the characters of an editor', `鍵は\r\n山田: ${FULL}`, '2:5'],
    ['after a byte order mark', `\ufeff${FULL}`, '1:1'],
    ['glued to words', `x${FULL}y`, '1:2'],
    ['in an address, encoded', `?k=${FULL.replaceAll('_', '%5F')}`, '1:4'],
    ['in an address within an address', `?k=${FULL.replaceAll('_', '%255f')}`, '1:4'],
    ['in JSON with escapes', `"\\n${FULL.replaceAll('_', '\\u005f')}"`, '1:4'],
    ['in Markdown', FULL.replaceAll('_', '\\_'), '1:1'],
    ['between bytes that are no text', Buffer.concat([Buffer.from([0, 255, 7]), Buffer.from(FULL)]), '1:4'],
    ['wrapped by an editor', `key: ${wrap(FULL, 40, '\n    ')}`, '1:6'],
    ['wrapped by quoted-printable', wrap(FULL, 30, '=\r\n'), '1:1'],
    ['in base64', `k: ${base64(FULL)}`, '1:4'],
    ['in base64 within other text', base64(`{"key":"${FULL}"}`), '1:9'],
    ['in base64 of 76 columns', `k: |\n  ${wrap(base64(`a ${FULL}`), 76, '\n  ')}`, '2:3'],
    ['in base64 with the alphabet of addresses', Buffer.from(`>>>${FULL}???`).toString('base64url'), '1:5'],
    ['in base64 of base64', base64(`{"auth":"${base64(`x:${FULL}`)}"}`), '1:13'],
    [
      'in a file of PowerShell',
      Buffer.concat([Buffer.from([255, 254]), utf16(`a《\r\n$k='${FULL}'`)]),
      '2:5',
    ],
    [
      'in a file of UTF-16 the other way round',
      Buffer.concat([Buffer.from([254, 255]), utf16(`a\r\n ${FULL}`).swap16()]),
      '2:2',
    ],
    ['in an encoded command of PowerShell', base64(utf16(`$k='${FULL}'`)), '1:9'],
    [
      'in a program of .NET',
      Buffer.concat([Buffer.from([77, 90, 1]), utf16(FULL), Buffer.from([1, 1])]),
      '1:4',
    ],
  ])('%s', (_name, text, place) => {
    expect(placesOf(text)).toEqual([`full key ${place}`]);
  });

  it('under another prefix only when that is asked for', () => {
    const { fullKey, apiKey } = makeKey('acme');
    expect(scan(fullKey)).toEqual([]);
    expect(scan(fullKey, { prefixes: ['kr', 'acme'] })[0]?.key.apiKey).toBe(apiKey);
  });

  it('once in each place', () => {
    expect(placesOf(`${FULL}\n${FULL} ${FULL}\n`)).toEqual(['full key 1:1', 'full key 2:1', 'full key 2:71']);
  });

  it('not when it is spread wider than any editor wraps it', () => {
    expect(scan(wrap(FULL, 10, `\n${' '.repeat(50)}`))).toEqual([]);
  });

  it.each([0, 5, 16, 33])('not with an error of one character at %d', (at) => {
    const wrong = (index: number) =>
      `${FULL.slice(0, index)}${FULL[index] === 'x' ? 'y' : 'x'}${FULL.slice(index + 1)}`;
    expect(scan(wrong(3 + at))).toEqual([]);
    expect(scan(wrong(FULL.length - 1 - at))).toEqual([]);
  });
});

describe('a split pair is found', () => {
  it.each<[string, string | Buffer, string]>([
    ['in JSON', `{"apiKey":"${ID}","secretKey":"${SECRET}"}`, `1:${12 + 19 + 15}`],
    ['in JSON with the secret first', `{\n"secretKey":"${SECRET}",\n"apiKey":"${ID}"\n}`, '2:14'],
    ['in YAML', `apiKey: ${ID}\nsecretKey: ${SECRET}\n`, '2:12'],
    ['in a file of variables', `export ID='${ID}'\nexport SECRET='${SECRET}'`, '2:16'],
    ['in PowerShell', `$Id = "${ID}"\r\n$Secret = "${SECRET}"\r\n`, '2:12'],
    ['in XML', `<add key="id" value="${ID}"/><s>${SECRET}</s>`, '1:47'],
    ['as user and password of cURL', `curl -u ${ID}:${SECRET}`, '1:29'],
    ['in a form', `apikey=${ID}&secretkey=${SECRET}`, '1:38'],
    ['in JSON within JSON', `"{\\"a\\":\\"${ID}\\",\\n\\u0022${SECRET}\\u0022}"`, '1:41'],
    ['in an encoded form', `a%3D${ID.replace('_', '%5F')}%26b%3D${SECRET}`, '1:33'],
    ['in a Basic header', `Authorization: Basic ${base64(`${ID}:${SECRET}`)}`, '1:46'],
    ['in a Basic header of a form', `h=Basic+${base64(`${ID}:${SECRET}`)}`, '1:33'],
    ['in two values of Kubernetes', `data:\n  id: ${base64(ID)}\n  secret: ${base64(SECRET)}\n`, '3:11'],
    ['in UTF-16', Buffer.concat([Buffer.from([255, 254]), utf16(`${ID}\n${SECRET}`)]), '2:1'],
    ['far apart', `${ID}\n${'some text of a long file\n'.repeat(60_000)}${SECRET}`, '60002:1'],
  ])('%s', (_name, text, place) => {
    expect(placesOf(text)).toEqual([`pair ${place}`]);
  });

  it('and tells where its other half is', () => {
    expect(scan(`${SECRET}\n\n  ${ID}`)[0]?.apiKeySpot).toMatchObject({ line: 3, column: 3 });
  });

  it('with the nearest of several places of its API key', () => {
    expect(scan(`${ID}\n${SECRET}\n${ID}\n${ID}`)[0]?.apiKeySpot).toMatchObject({ line: 1 });
    expect(scan(`${ID}\n${ID}\n${SECRET}\n\n${ID}\n${ID}`)[0]?.apiKeySpot).toMatchObject({ line: 2 });
  });

  it('beside the full key of the same place not once more', () => {
    expect(placesOf(`${ID}\n${FULL}\n${SECRET}`)).toEqual(['full key 2:1', 'pair 3:1']);
  });

  it('among many others, each with its own', () => {
    const keys = Array.from({ length: 300 }, () => makeKey());
    const text = `${keys.map(({ apiKey }) => apiKey).join('\n')}\n${keys.map(({ secretKey }) => secretKey).join('\n')}`;
    const found = scan(text).map(({ key }) => `${key.apiKey}_${key.reveal()}`);
    expect(found.toSorted()).toEqual(keys.map(({ fullKey }) => fullKey).toSorted());
  });

  it('not without its API key, nor with one half a character longer', () => {
    expect(scan(SECRET)).toEqual([]);
    expect(scan(`${ID}\nx${SECRET}`)).toEqual([]);
    expect(scan(`${ID}x\n${SECRET}`)).toEqual([]);
  });
});

describe('parts', () => {
  const mixed = Buffer.concat([
    Buffer.from(`${'y'.repeat(300_000)}\n${FULL}\n${base64(`${'z'.repeat(270_000)}${FULL}`)}\n`),
    Buffer.from(`${ID}\n${'w '.repeat(140_000)}\n${SECRET}\n`),
    utf16(`${'v '.repeat(140_000)}${FULL}`),
  ]);

  it('of any size show the same places', () => {
    const whole = placesOf(mixed, { partBytes: mixed.length });
    expect(whole).toHaveLength(4);
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 400_001 }), (partBytes) => {
        expect(placesOf(mixed, { partBytes })).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });

  it('hide no key that lies across their border', () => {
    for (let before = 262_144 + 8_192 - 80; before <= 262_144 + 8_192 + 4; before += 3)
      expect(scan(`${' '.repeat(before)}${FULL}`, { partBytes: 262_144 + 8_192 })).toHaveLength(1);
    for (let before = 262_144 - 80; before <= 262_144 + 4; before += 3)
      expect(scan(`${' '.repeat(before)}${FULL}${' '.repeat(20_000)}`, { partBytes: 262_144 })).toHaveLength(
        1,
      );
  });
});

describe('among 100,000 random strings', () => {
  it('of the shape of full keys none is a key', () => {
    const strings = Array.from({ length: RANDOM_COUNT }, () => `kr_${randomText(16)}_${randomText(49)}`);
    expect(scan(strings.join('\n'))).toEqual([]);
  });

  it('of the shape of each half, in one file, none is a pair, and a planted one is still found', () => {
    const lines = Array.from({ length: RANDOM_COUNT }, () => `kr_${randomText(16)}: ${randomText(49)}`);
    lines.splice(50_000, 0, `${ID}: ${SECRET}`);
    expect(placesOf(lines.join('\n'))).toEqual(['pair 50001:22']);
  });

  it('first all API keys, then all secrets, none is a pair, nor one whose halves are far apart among so many', () => {
    const ids = Array.from({ length: RANDOM_COUNT - 1 }, () => `kr_${randomText(16)}`);
    const secrets = Array.from({ length: RANDOM_COUNT - 1 }, () => randomText(49));
    expect(scan([ID, ...ids, ...secrets, SECRET].join('\n'))).toEqual([]);
  });
});

describe('a hostile file', () => {
  it.each([
    ['beginnings of keys', 'kr_'.repeat(700_000)],
    ['keys that never end', `kr_${'a\n'.repeat(15)}`.repeat(60_000)],
    ['one endless word', 'a'.repeat(2_000_000)],
    ['base64 of base64 of base64', base64(base64(base64('kr_'.repeat(300_000))))],
    ['zero bytes', Buffer.alloc(2_000_000)],
  ])('of %s costs time in proportion to its size', (_name, text) => {
    const startedAt = performance.now();
    expect(scan(text)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });
});

describe('what was found', () => {
  it('shows its secret nowhere by accident', () => {
    const [hit] = scan(FULL);
    for (const text of [inspect(hit, { depth: 9, showHidden: true }), JSON.stringify(hit)])
      expect(text).not.toContain(SECRET.slice(0, 8));
  });
});
