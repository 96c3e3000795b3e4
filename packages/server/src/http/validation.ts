import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyServerOptions } from 'fastify';
import { FIRST_INSTANT_MS, LAST_INSTANT_MS } from '../lib/clock.ts';
import { isEmailAddress } from '../lib/text.ts';
import { createCompileOnce } from './compile-once.ts';
import type { SharedSchemas } from './reachable-schemas.ts';
import { buildSerializer } from './serialization.ts';

const RFC_3339 = addFormats.default.get('date-time') as { readonly validate: (text: string) => boolean };

/**
 * The format of the library also takes what no clock of ours shows, a 60th second, and what `Date.parse` cannot
 * read, an offset without minutes. Either would become `NaN`: no expiry at all in one database, a fault of the
 * server in the other. An offset may lead out of the years 0 to 9999, and then the instant could not be written in
 * UTC, as answers write it.
 */
function isInstant(text: string): boolean {
  const ms = RFC_3339.validate(text) ? Date.parse(text) : Number.NaN;
  return ms >= FIRST_INSTANT_MS && ms <= LAST_INSTANT_MS;
}

const OPTIONS = {
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  strict: false,
  addUsedSchema: false,
  // Each instance would compile the schema of schemas anew. Ours come from TypeBox, which writes no other ones.
  meta: false,
  validateSchema: false,
  // Rewriting what was generated takes as long as generating it; what it saves, the compiler of the runtime saves too.
  code: { optimize: false },
} as const;

/**
 * As Fastify calls it: what is wrong is read from the function itself. It hands on what Ajv needs to coerce a value that
 * is no object only to functions of Ajv, and no route takes such a value.
 */
type Validate = ((data: unknown) => boolean) & Pick<ValidateFunction, 'errors'>;

const COMPILE_ONCE = {
  strict: createCompileOnce<ValidateFunction>(),
  coercing: createCompileOnce<ValidateFunction>(),
};

/**
 * Bodies are taken as they are: no coercion, no silent dropping, so that `1` is never taken for `"1"` and a
 * mistyped field is named instead of ignored. Query strings are text by nature and are coerced. The factory
 * form survives plugins that add schemas; `setValidatorCompiler` does not.
 */
export const schemaController: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: buildValidator as never, buildSerializer: buildSerializer as never },
};

function buildValidator(shared: SharedSchemas): (route: { schema: object; httpPart: string }) => Validate {
  const forBodies = createCompiler(shared, COMPILE_ONCE.strict, false);
  const forText = createCompiler(shared, COMPILE_ONCE.coercing, true);
  return ({ schema, httpPart }) => (httpPart === 'body' ? forBodies : forText)(schema);
}

function createCompiler(
  shared: SharedSchemas,
  compileOnce: ReturnType<typeof createCompileOnce<ValidateFunction>>,
  coerceTypes: boolean,
): (schema: object) => Validate {
  let ajv: Ajv | undefined;
  return (schema) => {
    const validator = compileOnce(schema, shared, (reachable) => {
      ajv ??= makeAjv(coerceTypes);
      for (const [id, needed] of Object.entries(reachable))
        if (ajv.schemas[id] === undefined) ajv.addSchema(needed);
      return ajv.compile(schema);
    });
    const validate: Validate = (data) => {
      const made = validator();
      const isValid = made(data);
      validate.errors = made.errors ?? null;
      return isValid;
    };
    return validate;
  };
}

function makeAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ ...OPTIONS, coerceTypes });
  addFormats.default(ajv);
  ajv.addFormat('date-time', { type: 'string', validate: isInstant });
  ajv.addFormat('email', { type: 'string', validate: isEmailAddress });
  return ajv;
}
