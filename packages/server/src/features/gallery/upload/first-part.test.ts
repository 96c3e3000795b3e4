import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PART_HEAD_BYTES, MultipartFault, openPackageBody, readBoundary } from './first-part.ts';

const BOUNDARY = '---------------------------8dface0ff5eca60';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const PART_HEADERS =
  'Content-Disposition: form-data; name="package"; filename="package"\r\nContent-Type: application/octet-stream\r\n';

interface Watch {
  readBytes: number;
  isAtEnd: boolean;
  isClosed: boolean;
}

/** A source that tells how far it was read, and whether it was closed before its end. */
function watched(
  chunks: readonly Uint8Array[],
  failAtEnd?: Error,
): AsyncIterable<Uint8Array> & { watch: Watch } {
  const watch: Watch = { readBytes: 0, isAtEnd: false, isClosed: false };
  const remaining = chunks[Symbol.iterator]();
  return {
    watch,
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = remaining.next();
        if (result.done !== true) {
          watch.readBytes += result.value.length;
          return { done: false, value: result.value };
        }
        watch.isAtEnd = true;
        if (failAtEnd !== undefined) throw failAtEnd;
        return { done: true, value: undefined };
      },
      async return() {
        watch.isClosed = true;
        return { done: true, value: undefined };
      },
    }),
  };
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, index) => bytes.subarray(points[index], end));
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function faultOf(
  type: string,
  body: string | Uint8Array,
  cuts: readonly number[] = [],
): Promise<string> {
  const source = watched(split(Buffer.from(body), cuts));
  const fault = await collect(openPackageBody(type, source)).catch((error: unknown) => error);
  if (!(fault instanceof MultipartFault)) throw new Error(`accepted, or failed otherwise: ${String(fault)}`);
  expect(fault.message).toMatch(/^[ -~]{20,512}$/);
  expect(source.watch).toMatchObject({ isAtEnd: true, isClosed: false });
  return fault.reason;
}

const correct = (data: Uint8Array, headers = PART_HEADERS) =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\n${headers}\r\n`),
    data,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
const fromMono = (data: Uint8Array) =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\n${PART_HEADERS}\r\n`),
    data,
    Buffer.from(`\n--${BOUNDARY}--`),
  ]);

describe('openPackageBody: the first part', () => {
  const data = Buffer.from('PK\u0003\u0004 data \r\n with --lines\r\n--and dashes\n\r\n');

  it.each([
    ['a correct form', TYPE, correct(data)],
    ['the form of nuget 2.8.7 on mono', TYPE, fromMono(data)],
    [
      'a form with line feeds only',
      TYPE,
      Buffer.from(
        correct(data)
          .toString('latin1')
          .replaceAll(`\r\n--${BOUNDARY}`, `\n--${BOUNDARY}`)
          .replace(PART_HEADERS, PART_HEADERS.replaceAll('\r', '')),
        'latin1',
      ),
    ],
    ['a quoted boundary', `multipart/form-data; boundary="${BOUNDARY}"`, correct(data)],
    [
      'other parameters, other case, blanks',
      ` Multipart/Form-Data ; charset="a;boundary=x" ;  BOUNDARY = ${BOUNDARY} ; x=y`,
      correct(data),
    ],
    [
      'headers as nuget 5.8 writes them',
      TYPE,
      correct(
        data,
        "Content-Type: application/octet-stream\r\nContent-Disposition: form-data; name=package; filename=package.nupkg; filename*=utf-8''package.nupkg\r\n",
      ),
    ],
    ['no headers', TYPE, correct(data, '')],
    ['a harmless transfer encoding', TYPE, correct(data, 'content-transfer-encoding: BINARY\r\n')],
    ['a preamble', TYPE, Buffer.concat([Buffer.from(`ignore --${BOUNDARY} this\r\n`), correct(data)])],
    ['an empty line before the form', TYPE, Buffer.concat([Buffer.from('\r\n'), correct(data)])],
    [
      'blanks after the boundary',
      TYPE,
      Buffer.from(
        correct(data).toString('latin1').replace(`--${BOUNDARY}\r\n`, `--${BOUNDARY} \t\r\n`),
        'latin1',
      ),
    ],
    ['an epilogue', TYPE, Buffer.concat([correct(data), Buffer.from('and more of it')])],
    [
      'a second part',
      TYPE,
      Buffer.from(
        correct(data)
          .toString('latin1')
          .replace(`${BOUNDARY}--\r\n`, `${BOUNDARY}\r\n\r\nsecond\r\n--${BOUNDARY}--\r\n`),
        'latin1',
      ),
    ],
  ])('comes out of %s, wherever the chunks are cut', async (_name, type, body) => {
    for (let cut = 0; cut <= body.length; cut += 1) {
      const source = watched(split(body, [cut]));
      expect(await collect(openPackageBody(type, source))).toEqual(data);
      expect(source.watch).toMatchObject({ isAtEnd: true, readBytes: body.length });
    }
    const single = Array.from(body, (_, index) => body.subarray(index, index + 1));
    expect(await collect(openPackageBody(type, watched(single)))).toEqual(data);
  });

  it('holds a longer line that begins like the boundary for data', async () => {
    const tricky = Buffer.from(`a\r\n--${BOUNDARY}x\r\n--${BOUNDARY}-x\n--${BOUNDARY.slice(0, -1)}\r\nb`);
    for (const cut of [0, 5, 20, 46, 47, 48, 60, 90, 91, 92, 93]) {
      expect(await collect(openPackageBody(TYPE, watched(split(correct(tricky), [cut]))))).toEqual(tricky);
    }
  });

  it('is found with any data, any boundary and any cuts', async () => {
    // Few different bytes, so that the data often look like the beginning of a boundary.
    const byte = fc.constantFrom(0x0a, 0x0d, 0x2d, 0x61, 0x62, 0x00);
    const boundary = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(byte, { maxLength: 120 }),
        boundary,
        fc.boolean(),
        fc.array(fc.nat(400), { maxLength: 12 }),
        async (bytes, name, isMono, cuts) => {
          const content = Buffer.from(bytes);
          const isLike = /\n--[ab-]+(?:--|[\r\n]|$)/;
          // A package neither holds the boundary nor ends with a carriage return.
          fc.pre(!isLike.test(content.toString('latin1')) && content.at(-1) !== 0x0d);
          const body = Buffer.concat([
            Buffer.from(`--${name}\r\nA: b\r\n\r\n`),
            content,
            Buffer.from(isMono ? `\n--${name}--` : `\r\n--${name}--\r\n`),
          ]);
          const opened = openPackageBody(
            `multipart/form-data; boundary="${name}"`,
            watched(split(body, cuts)),
          );
          expect(await collect(opened)).toEqual(content);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('comes out in linear time, also of data full of boundaries that are none', async () => {
    const hostile = Buffer.from(`\n--${BOUNDARY}x`.repeat(200_000));
    const startedAt = performance.now();
    const chunks = Array.from({ length: Math.ceil(hostile.length / 65_536) }, (_, i) =>
      hostile.subarray(i * 65_536, (i + 1) * 65_536),
    );
    const head = Buffer.from(`--${BOUNDARY}\r\n\r\n`);
    const source = watched([head, ...chunks, Buffer.from(`\r\n--${BOUNDARY}--`)]);
    expect((await collect(openPackageBody(TYPE, source))).equals(hostile)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('never keeps more back than a boundary', async () => {
    const chunk = Buffer.alloc(1000, 'x');
    const source = watched([
      Buffer.from(`--${BOUNDARY}\r\n\r\n`),
      ...Array.from({ length: 50 }, () => chunk),
      Buffer.from(`\r\n--${BOUNDARY}--`),
    ]);
    let given = 0;
    for await (const part of openPackageBody(TYPE, source)) {
      given += part.length;
      expect(source.watch.readBytes - given).toBeLessThan(1000 + 3 * BOUNDARY.length);
    }
    expect(given).toBe(50_000);
  });
});

describe('openPackageBody: a body that is not multipart', () => {
  it.each([undefined, '', 'application/octet-stream', 'application/zip; boundary=x', 'text/multipart'])(
    'passes as it is with the content type %j',
    async (type) => {
      const body = correct(Buffer.from('x'));
      expect(await collect(openPackageBody(type, watched(split(body, [3, 9]))))).toEqual(body);
    },
  );

  it('may be empty', async () => {
    expect(await collect(openPackageBody(undefined, watched([])))).toHaveLength(0);
  });

  it('keeps the bytes of a plain Uint8Array', async () => {
    const shared = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    expect([...(await collect(openPackageBody(undefined, watched([shared]))))]).toEqual([1, 2, 3]);
  });
});

describe('openPackageBody: faults', () => {
  it.each([
    ['no boundary', 'multipart/form-data', 'boundary_missing'],
    ['an empty boundary', 'multipart/form-data; boundary=', 'boundary_invalid'],
    ['a boundary of 71 characters', `multipart/form-data; boundary=${'a'.repeat(71)}`, 'boundary_invalid'],
    ['a boundary with a line break', 'multipart/form-data; boundary="a\nb"', 'boundary_invalid'],
    ['a boundary that ends with a blank', 'multipart/form-data; boundary="a "', 'boundary_invalid'],
  ])('refuses a content type with %s', async (_name, type, reason) => {
    expect(await faultOf(type, correct(Buffer.from('x')))).toBe(reason);
  });

  it('refuses a body that ends early, at every byte', async () => {
    const body = correct(Buffer.from('data'));
    const complete = body.length - '\r\n'.length;
    for (let length = 0; length < complete; length += 1) {
      expect(await faultOf(TYPE, body.subarray(0, length), [7])).toMatch(/^(body_ended|part_missing)$/);
    }
  });

  it('refuses a body in which the boundary never appears', async () => {
    expect(await faultOf(TYPE, 'PK\u0003\u0004 not a form')).toBe('part_missing');
    expect(await faultOf(TYPE, Buffer.alloc(1_000_000))).toBe('part_missing');
    expect(await faultOf(TYPE, `x--${BOUNDARY}\r\n\r\nx`)).toBe('part_missing');
  });

  it('refuses a form without parts', async () => {
    expect(await faultOf(TYPE, `--${BOUNDARY}--\r\n`)).toBe('part_missing');
  });

  it('refuses headers of more than 8 KiB, in one piece or trickling in', async () => {
    const endless = correct(Buffer.from('x'), `X: ${'y'.repeat(MAX_PART_HEAD_BYTES)}\r\n`);
    expect(await faultOf(TYPE, endless)).toBe('head_too_large');
    expect(
      await faultOf(
        TYPE,
        endless,
        Array.from({ length: 9000 }, (_, index) => index),
      ),
    ).toBe('head_too_large');
  });

  it('refuses a transfer encoding that it would have to undo', async () => {
    for (const name of ['base64', 'quoted-printable']) {
      expect(await faultOf(TYPE, correct(Buffer.from('x'), `Content-Transfer-Encoding: ${name}\r\n`))).toBe(
        'encoding_unknown',
      );
    }
  });
});

describe('openPackageBody: the rest of the body', () => {
  const long = Array.from({ length: 20 }, () => Buffer.alloc(1000));

  it('is read to its end when the caller stops early', async () => {
    for (const type of [TYPE, undefined]) {
      const source = watched([correct(Buffer.alloc(5000)).subarray(0, 3000), ...long]);
      for await (const chunk of openPackageBody(type, source)) if (chunk.length > 0) break;
      expect(source.watch).toMatchObject({ isAtEnd: true, isClosed: false });
    }
  });

  it('is not read beyond the limit: then the source is closed', async () => {
    const source = watched([Buffer.from('no form'), ...long, ...long]);
    const opened = openPackageBody(TYPE, source, { maxDrainBytes: 5000 });
    await expect(collect(opened)).rejects.toBeInstanceOf(MultipartFault);
    expect(source.watch).toMatchObject({ isAtEnd: false, isClosed: true });
  });

  it('that breaks off means that the push broke off', async () => {
    const broken = new Error('aborted');
    await expect(collect(openPackageBody(TYPE, watched([correct(Buffer.from('x'))], broken)))).rejects.toBe(
      broken,
    );
    await expect(collect(openPackageBody(undefined, watched([Buffer.from('x')], broken)))).rejects.toBe(
      broken,
    );
  });

  it('that breaks off after a fault leaves that fault the news', async () => {
    const source = watched([Buffer.from(`--${BOUNDARY}--`)], new Error('aborted'));
    await expect(collect(openPackageBody(TYPE, source))).rejects.toMatchObject({ reason: 'part_missing' });
  });
});

describe('readBoundary', () => {
  it.each([
    ['multipart/form-data; boundary="a b"', 'a b'],
    ['multipart/form-data; boundary="a\\"b"', null],
    ['multipart/form-data; name="x; boundary=evil"; boundary=good', 'good'],
    ['multipart/mixed;boundary=x', 'x'],
    ['multipart/form-data; boundary="unclosed', 'unclosed'],
    ['application/json', null],
  ])('reads %j as %j', (type, boundary) => {
    if (boundary === null && type.startsWith('multipart'))
      expect(() => readBoundary(type)).toThrow(MultipartFault);
    else expect(readBoundary(type)).toBe(boundary);
  });
});
