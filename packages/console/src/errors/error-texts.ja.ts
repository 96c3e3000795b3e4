import type { ErrorText } from './error-text.ts';
import type { ErrorCode } from './error-texts.en.ts';
import { ACCESS_TEXTS_JA } from './texts/access.ja.ts';
import { KEY_TEXTS_JA } from './texts/keys.ja.ts';
import { REQUEST_TEXTS_JA } from './texts/requests.ja.ts';

/** The same codes in Japanese; the vocabulary is the one of the pages. */
export const ERROR_TEXTS_JA: Readonly<Record<ErrorCode, ErrorText>> = {
  ...ACCESS_TEXTS_JA,
  ...KEY_TEXTS_JA,
  ...REQUEST_TEXTS_JA,
};
