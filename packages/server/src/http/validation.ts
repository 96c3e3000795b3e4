import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyServerOptions } from 'fastify';
import { isEmailAddress } from '../lib/text.ts';

const RFC_3339 = addFormats.default.get('date-time') as { readonly validate: (text: string) => boolean };

/**
 * The format of the library also takes what no clock of ours shows, a 60th second, and what `Date.parse` cannot
 * read, an offset without minutes. Either would become `NaN`: no expiry at all in one database, a fault of the
 * server in the other.
 */
function isInstant(text: string): boolean {
  return RFC_3339.validate(text) && !Number.isNaN(Date.parse(text));
}

const OPTIONS = {
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  strict: false,
  addUsedSchema: false,
  // Every scope of the server has validators of its own, and each would compile the schema of schemas anew: half
  // of the time that a start takes. Ours come from TypeBox, which writes no other ones.
  meta: false,
  validateSchema: false,
} as const;

/**
 * Bodies are taken as they are: no coercion, no silent dropping, so that `1` is never taken for `"1"` and a
 * mistyped field is named instead of ignored. Query strings are text by nature and are coerced. The factory
 * form survives plugins that add schemas; `setValidatorCompiler` does not.
 */
export const schemaController: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: buildValidator as never },
};

function buildValidator(
  externalSchemas: Record<string, object>,
): (route: { schema: object; httpPart: string }) => unknown {
  const make = (coerceTypes: boolean): Ajv => {
    const ajv = new Ajv({ ...OPTIONS, coerceTypes });
    addFormats.default(ajv);
    ajv.addFormat('date-time', { type: 'string', validate: isInstant });
    ajv.addFormat('email', { type: 'string', validate: isEmailAddress });
    for (const schema of Object.values(externalSchemas)) ajv.addSchema(schema);
    return ajv;
  };
  const forBodies = make(false);
  const forText = make(true);
  return ({ schema, httpPart }) => (httpPart === 'body' ? forBodies : forText).compile(schema);
}
