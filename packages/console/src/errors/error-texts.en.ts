import { ACCESS_TEXTS_EN } from './texts/access.en.ts';
import { KEY_TEXTS_EN } from './texts/keys.en.ts';
import { REQUEST_TEXTS_EN } from './texts/requests.en.ts';

/** Every stable code of the server, of the SDK (`client.*`) and of the answer to a verification, in plain English. */
export const ERROR_TEXTS_EN = { ...ACCESS_TEXTS_EN, ...KEY_TEXTS_EN, ...REQUEST_TEXTS_EN } as const;

export type ErrorCode = keyof typeof ERROR_TEXTS_EN;
