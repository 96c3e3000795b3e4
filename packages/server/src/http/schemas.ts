import Type, { type TSchema } from 'typebox';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from '../lib/page.ts';

/** One named component in OpenAPI, with the right TypeScript type (a plain `Ref` is `unknown`). */
export function refTo<Schema extends TSchema & { $id?: string }>(schema: Schema) {
  return Type.Unsafe<Type.Static<Schema>>(Type.Ref(schema.$id ?? ''));
}

export const ListQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: PAGE_LIMIT_MAX,
      default: PAGE_LIMIT_DEFAULT,
      description: `Rows a page (default ${PAGE_LIMIT_DEFAULT}).`,
    }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 2048, description: '`nextCursor` of the page before.' })),
  q: Type.Optional(Type.String({ maxLength: 256, description: 'Search text.' })),
};

/** A page of items: `{ items, nextCursor }`. */
export function pageOf<Schema extends TSchema>(item: Schema) {
  return Type.Object(
    { items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) },
    { additionalProperties: false },
  );
}

export const EmptyResponse = Type.Null({ description: 'Done; no body.' });
