import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { schemaController } from './validation.ts';

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

function createApp(): FastifyInstance {
  const app = Fastify({ schemaController });
  apps.push(app);
  return app;
}

const TEXT = { type: 'string' };

const objectOf = (id: string, properties: object) => ({
  $id: id,
  type: 'object',
  properties,
  required: Object.keys(properties),
});

/** Answers `{ secret, owner: { secret, name, boss } }` in the form of the shared schema. */
function answer(app: FastifyInstance, id: string): void {
  const owner = { name: 'Ada', secret: 's', boss: { name: 'Mei', secret: 's' } };
  app.get('/', { schema: { response: { 200: { $ref: `${id}#` } } } }, () => ({ secret: 's', owner }));
}

describe('an answer', () => {
  it('shows the fields of its schema alone, also in a schema behind another and in one that refers to itself', async () => {
    const app = createApp();
    app.addSchema(objectOf('Package', { owner: { $ref: 'Owner#' } }));
    app.addSchema({ $id: 'Owner', type: 'object', properties: { name: TEXT, boss: { $ref: 'Owner#' } } });
    answer(app, 'Package');
    expect((await app.inject('/')).json()).toEqual({ owner: { name: 'Ada', boss: { name: 'Mei' } } });
  });

  it('keeps to the schemas of its own app where another has the same reference', async () => {
    const narrow = createApp();
    narrow.addSchema(objectOf('Package', { owner: { $ref: 'Owner#' } }));
    narrow.addSchema(objectOf('Owner', { name: TEXT }));
    answer(narrow, 'Package');
    const wide = createApp();
    wide.addSchema(objectOf('Package', { owner: { $ref: 'Owner#' } }));
    wide.addSchema(objectOf('Owner', { name: TEXT, secret: TEXT }));
    answer(wide, 'Package');
    expect((await narrow.inject('/')).json()).toEqual({ owner: { name: 'Ada' } });
    expect((await wide.inject('/')).json()).toEqual({ owner: { name: 'Ada', secret: 's' } });
  });
});

describe('a request', () => {
  function take(app: FastifyInstance): void {
    app.post('/', { schema: { body: { $ref: 'Body#' } } }, () => 'taken');
  }
  const post = async (app: FastifyInstance, body: object) =>
    (await app.inject({ method: 'POST', url: '/', payload: body })).statusCode;

  it('is judged by the schemas of its own app where another has the same reference', async () => {
    const [numbers, texts] = [createApp(), createApp()];
    numbers.addSchema(objectOf('Body', { value: { $ref: 'Value#' } }));
    numbers.addSchema({ $id: 'Value', type: 'number' });
    take(numbers);
    texts.addSchema(objectOf('Body', { value: { $ref: 'Value#' } }));
    texts.addSchema({ $id: 'Value', ...TEXT });
    take(texts);
    expect([await post(numbers, { value: 1 }), await post(numbers, { value: '1' })]).toEqual([200, 400]);
    expect([await post(texts, { value: 1 }), await post(texts, { value: '1' })]).toEqual([400, 200]);
  });

  it('is coerced in the query and never in the body, though the schema is the same', async () => {
    const app = createApp();
    const schema = { type: 'object', properties: { limit: { type: 'integer' } }, required: ['limit'] };
    app.get('/', { schema: { querystring: schema } }, () => 'taken');
    app.post('/', { schema: { body: schema } }, () => 'taken');
    expect((await app.inject('/?limit=5')).statusCode).toBe(200);
    expect([await post(app, { limit: '5' }), await post(app, { limit: 5 })]).toEqual([400, 200]);
  });
});

describe('a start', () => {
  it.each([
    ['an answer', { response: { 200: { $ref: 'Missing#' } } }],
    ['a body', { body: { $ref: 'Missing#' } }],
  ])('is refused when the schema of %s is not there', async (_part, schema) => {
    const app = createApp();
    app.post('/', { schema }, () => 'taken');
    await expect(app.ready()).rejects.toThrow('Missing');
  });
});
