import { findReachable, type SharedSchemas } from './reachable-schemas.ts';

type Compile<Compiled> = (reachable: Readonly<Record<string, object>>) => Compiled;

/**
 * Compiles a schema when it is first needed, with the shared schemas that it needs, and each text once. A fifth of a
 * start went into schemas most of which its server never uses; routes answer and refuse in the same few forms, and
 * whatever else builds an app in this process has the same routes: what is made is a function of the texts, whichever
 * app asks.
 *
 * @returns gives what is compiled
 * @throws Error when a schema is not there: such a server must not start
 */
export function createCompileOnce<Compiled>(): (
  schema: object,
  shared: SharedSchemas,
  compile: Compile<Compiled>,
) => () => Compiled {
  const compiled = new Map<string, Compiled>();
  return (schema, shared, compile) => {
    const reachable = findReachable(schema, shared);
    let own: Compiled | undefined;
    return () => {
      if (own !== undefined) return own;
      const text = JSON.stringify([schema, reachable]);
      own = compiled.get(text) ?? compile(reachable);
      compiled.set(text, own);
      return own;
    };
  };
}
