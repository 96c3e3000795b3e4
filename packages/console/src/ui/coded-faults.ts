import { KeyreeveError } from '@keyreeve/sdk';
import { describeError } from '../errors/describe-error.ts';
import { formatDuration } from '../format/dates.ts';
import type { Language } from '../i18n/i18n.ts';
import { say } from '../i18n/words.tsx';
import { type FieldFaults, readFaults } from './field-faults.ts';
import { uiWords } from './ui.words.ts';

/**
 * The faults of a form with passwords or codes. Some refusals name no field, but mean one: `fieldByCode` says
 * which. A pause after too many tries is told with its length.
 */
export function readCodedFaults(
  error: unknown,
  language: Language,
  fields: readonly string[],
  fieldByCode: Readonly<Record<string, string | undefined>>,
): FieldFaults {
  if (!(error instanceof KeyreeveError)) return readFaults(error, language, fields);
  const { title, remedy, detail } = describeError(error, language);
  const meant = fieldByCode[error.code];
  if (meant !== undefined) {
    const message = detail ?? `${title} ${remedy}`;
    return { of: (field) => (field === meant ? message : null), rest: null };
  }
  if (error.retryAfterSeconds !== null) {
    const time = formatDuration(error.retryAfterSeconds, language);
    return { of: () => null, rest: `${title} ${say(uiWords, 'retryIn', { time })}` };
  }
  return readFaults(error, language, fields);
}
