import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import { createCompileOnce } from './compile-once.ts';
import type { SharedSchemas } from './reachable-schemas.ts';

const makeFor = SerializerSelector();
const compileOnce = createCompileOnce<SerializerSelector.Serializer>();

/** The serializers of Fastify, each of them made once, for its first answer, from the shared schemas that it needs. */
export function buildSerializer(
  shared: SharedSchemas,
): (
  route: SerializerSelector.RouteDefinition & { readonly schema: object },
) => SerializerSelector.Serializer {
  return (route) => {
    const serializer = compileOnce(route.schema, shared, (reachable) => makeFor(reachable)(route));
    return (data) => serializer()(data);
  };
}
