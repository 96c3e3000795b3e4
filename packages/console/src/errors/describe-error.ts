import { KeyreeveError, KeyreeveTransportError, UNEXPECTED_ANSWER } from '@keyreeve/sdk';
import type { Locale } from '../format/locale.ts';
import { wordDetail } from './detail-sentences.ts';
import type { ErrorText } from './error-text.ts';
import { ERROR_TEXTS_EN, type ErrorCode } from './error-texts.en.ts';
import { ERROR_TEXTS_JA } from './error-texts.ja.ts';
import { wordFieldMessage } from './field-sentences.ts';
import { asSentence } from './sentences.ts';
import { SERVER_REMEDIES } from './server-remedies.ts';

/** An error as people read it. All texts are whole sentences in the language that was asked for. */
export interface ErrorDescription {
  readonly code: string;
  readonly title: string;
  readonly remedy: string;
  /** What is special about this case: a number, a name, a reason. Null when title and remedy say it all. */
  readonly detail: string | null;
  /** To be told to whoever runs the server. */
  readonly requestId: string | null;
  /** Seconds after which another try makes sense. */
  readonly retryAfterSeconds: number | null;
  /** `field` in the spelling of the API, for instance `scopes[0].resources[2]`. */
  readonly fields: readonly { readonly field: string; readonly message: string }[];
}

const NOTHING = { detail: null, requestId: null, retryAfterSeconds: null, fields: [] } as const;

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TEXTS_EN, code);
}

function textOf(code: ErrorCode, locale: Locale): ErrorText {
  return (locale === 'ja' ? ERROR_TEXTS_JA : ERROR_TEXTS_EN)[code];
}

/** True when the detail only repeats the standing advice of its code, or what is said at the fields. */
function isSaidAlready({ code, detail, errors }: KeyreeveError): boolean {
  const told = errors.map(({ field, message }) => `${field} ${message}`);
  return (
    SERVER_REMEDIES.has(detail) ||
    (isKnown(code) && ERROR_TEXTS_EN[code].remedy === detail) ||
    (told.length > 0 && (detail === told.join('; ') || detail === `${told[0]}.`))
  );
}

function describeRefusal(error: KeyreeveError, locale: Locale): ErrorDescription {
  const { code, requestId, retryAfterSeconds } = error;
  const detail = wordDetail(error.detail, locale) ?? asSentence(error.detail);
  // A server that is newer than the page knows codes that the page does not; then the server speaks itself.
  const texts = isKnown(code) ? textOf(code, locale) : { title: asSentence(error.title), remedy: detail };
  return {
    code,
    ...texts,
    detail: isKnown(code) && !isSaidAlready(error) ? detail : null,
    requestId,
    retryAfterSeconds,
    fields: error.errors.map(({ field, message }) => ({
      field,
      message: wordFieldMessage(message, locale) ?? wordDetail(message, locale) ?? asSentence(message),
    })),
  };
}

/**
 * What happened and what to do about it, in words for people. An exception that nobody expected becomes
 * `client.unexpected`; what it says is for the log of the browser, not for the page.
 */
export function describeError(error: unknown, locale: Locale): ErrorDescription {
  if (error instanceof KeyreeveError) return describeRefusal(error, locale);
  const code = error instanceof KeyreeveTransportError ? error.code : 'client.unexpected';
  return { ...NOTHING, code, ...textOf(code, locale) };
}

/** The same in one breath: what happened, and what to do in this very case; the standing advice where none is. */
export function sayFault(error: unknown, locale: Locale): string {
  const { title, detail, remedy } = describeError(error, locale);
  return `${title} ${detail ?? remedy}`;
}

/** What the server would refuse, by the code and the detail that it names in an answer. */
export function describeAnswer(
  { code, detail }: { readonly code: string; readonly detail: string },
  locale: Locale,
): { readonly title: string; readonly detail: string } {
  const told = wordDetail(detail, locale) ?? asSentence(detail);
  return { title: describeCode(code, locale) ?? told, detail: told };
}

/** True when no answer of the server came back: a change may have been made all the same. */
export function isOutcomeUnknown(error: unknown): boolean {
  return (
    error instanceof KeyreeveTransportError ||
    (error instanceof KeyreeveError &&
      (error.code === UNEXPECTED_ANSWER || error.code === 'request.outcome_unknown'))
  );
}

/** What happened, by its code alone; null for a code that the page does not know. */
export function describeCode(code: string, locale: Locale): string | null {
  return isKnown(code) ? textOf(code, locale).title : null;
}
