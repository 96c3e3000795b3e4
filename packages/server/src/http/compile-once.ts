import { findReachable, type SharedSchemas } from './reachable-schemas.ts';

type Compile<Compiled> = (reachable: Readonly<Record<string, object>>) => Compiled;

/**
 * Compiles a schema the first time that it comes, with the shared schemas that it needs. Most routes answer and
 * refuse in the same few forms, and whatever else builds an app in this process has the same routes: what is made
 * is a function of the texts, whichever app asks.
 */
export function createCompileOnce<Compiled>(): (
  schema: object,
  shared: SharedSchemas,
  compile: Compile<Compiled>,
) => Compiled {
  const compiled = new Map<string, Compiled>();
  return (schema, shared, compile) => {
    const reachable = findReachable(schema, shared);
    const text = JSON.stringify([schema, reachable]);
    let found = compiled.get(text);
    if (found === undefined) {
      found = compile(reachable);
      compiled.set(text, found);
    }
    return found;
  };
}
