/** The shared schemas of a scope by their ids. */
export type SharedSchemas = Readonly<Record<string, object>>;

/**
 * The shared schemas that a schema refers to, itself or through others. The compilers read and check whatever
 * they are handed, for each route and status anew: with all shared schemas a start takes seconds.
 *
 * @throws Error when one of them is not there
 */
export function findReachable(schema: unknown, shared: SharedSchemas): Record<string, object> {
  const found: Record<string, object> = {};
  const waiting = [schema];
  while (waiting.length > 0) {
    for (const id of listReferences(waiting.pop())) {
      if (Object.hasOwn(found, id)) continue;
      const target = shared[id];
      if (target === undefined) throw new Error(`There is no schema ${JSON.stringify(id)} to refer to.`);
      found[id] = target;
      waiting.push(target);
    }
  }
  return found;
}

/** The ids before the `#` of each reference to another schema. */
function listReferences(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword !== '$ref' || typeof value !== 'string') return listReferences(value);
    const [id = ''] = value.split('#', 1);
    return id === '' ? [] : [id];
  });
}
