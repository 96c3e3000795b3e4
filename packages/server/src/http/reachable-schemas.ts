/** The shared schemas of a scope by their ids. */
export type SharedSchemas = Readonly<Record<string, object>>;

/**
 * The shared schemas that a schema refers to, itself or through others. The compilers read and check whatever
 * they are handed, for each route and status anew: with all shared schemas a start takes seconds.
 */
export function findReachable(schema: unknown, shared: SharedSchemas): Record<string, object> {
  const found: Record<string, object> = {};
  const waiting = [schema];
  while (waiting.length > 0) {
    for (const id of listReferences(waiting.pop())) {
      const target = shared[id];
      // What is not there is for the compiler to complain about.
      if (target === undefined || Object.hasOwn(found, id)) continue;
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
