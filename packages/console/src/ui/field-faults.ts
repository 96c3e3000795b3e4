import { describeError, sayFault } from '../errors/describe-error.ts';
import type { Language } from '../i18n/i18n.ts';

/**
 * The faults that the server found, by field: `faults.of('comment')`. `rest` is what no field of the form shows,
 * in words; null when there is nothing to say beside the fields.
 */
export interface FieldFaults {
  readonly of: (field: string) => string | null;
  readonly rest: string | null;
}

export function readFaults(error: unknown, language: Language, shownFields: readonly string[]): FieldFaults {
  if (error === null || error === undefined) return { of: () => null, rest: null };
  const { fields } = describeError(error, language);
  const belongsTo = (name: string, field: string) =>
    name === field ||
    name.startsWith(`${field}[`) ||
    name.startsWith(`${field}.`) ||
    name.startsWith(`${field}/`);
  const isShown = (name: string) => shownFields.some((field) => belongsTo(name, field));
  const others = fields
    .filter(({ field }) => !isShown(field))
    .map(({ field, message }) => `${field}: ${message}`);
  const hasShown = fields.some(({ field }) => isShown(field));
  const rest = hasShown && others.length === 0 ? null : [sayFault(error, language), ...others].join(' ');
  return { of: (field) => fields.find((fault) => belongsTo(fault.field, field))?.message ?? null, rest };
}
