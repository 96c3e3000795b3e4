import { gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendDocument } from './gallery.document.ts';
import { jsonWithList } from './v3/v3.json.ts';

const app = Fastify();
let isEnded = false;

async function* items(count: number, faultAt = Number.POSITIVE_INFINITY) {
  try {
    for (let item = 0; item < count; item += 1) {
      if (item === faultAt) throw new Error('The database is gone.');
      yield { item, text: 'x'.repeat(100) };
    }
  } finally {
    isEnded = true;
  }
}

const expected = (count: number) =>
  JSON.stringify({
    a: 1,
    items: Array.from({ length: count }, (_, item) => ({ item, text: 'x'.repeat(100) })),
  });
const LONG = 30_000;

beforeAll(async () => {
  app.get<{ Querystring: { count: string; faultAt?: string } }>('/', async (request, reply) => {
    isEnded = false;
    const { count, faultAt } = request.query;
    const pieces = jsonWithList({ a: 1 }, 'items', items(Number(count), Number(faultAt ?? Number.NaN)));
    return await sendDocument(request, reply, pieces);
  });
  await app.ready();
});
afterAll(() => app.close());

describe('a document', () => {
  it('is the JSON that it would be in one piece, short or long', async () => {
    for (const count of [0, 1, 2, LONG]) {
      const answer = await app.inject(`/?count=${count}`);
      expect([count, answer.statusCode, answer.body === expected(count)]).toEqual([count, 200, true]);
      expect([count, isEnded]).toEqual([count, true]);
    }
  });

  it('that is too long to hold is compressed on the way, without a validator', async () => {
    const answer = await app.inject({ url: `/?count=${LONG}`, headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.headers['etag']).toBeUndefined();
    expect(gunzipSync(answer.rawPayload).toString()).toBe(expected(LONG));
  });

  it('that is short is not compressed, which would not shorten it', async () => {
    const answer = await app.inject({ url: '/?count=1', headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers['etag']).toMatch(/^"[\w-]{32}"$/);
  });

  it('of which only the head is asked for reads no more than is held', async () => {
    const answer = await app.inject({ method: 'HEAD', url: `/?count=${LONG}` });
    expect([answer.statusCode, answer.body, isEnded]).toEqual([200, '', true]);
  });

  it('that cannot be made is a fault while it is held, and a broken answer later, never a whole one', async () => {
    expect((await app.inject('/?count=5&faultAt=3')).statusCode).toBe(500);
    await expect(app.inject(`/?count=${LONG}&faultAt=${LONG - 1}`)).rejects.toThrow();
  });
});
