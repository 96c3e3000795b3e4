import type { InjectAnswer } from './company.ts';
import type { Harness } from './harness.ts';

export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Any key as it was minted. */
export interface ClientPair {
  readonly apiKey: string;
  readonly secretKey: string;
}

export interface OAuthCall {
  /** Authenticates with Basic, encoded as RFC 6749 2.3.1 wants it. */
  readonly basic?: ClientPair | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export function toBasic({ apiKey, secretKey }: ClientPair): string {
  const text = `${encodeURIComponent(apiKey)}:${encodeURIComponent(secretKey)}`;
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

/** One form to `/oauth2/…`; a text is sent as it is. */
export async function postForm(
  harness: Harness,
  url: string,
  form: Readonly<Record<string, string>> | string,
  { basic, headers }: OAuthCall = {},
): Promise<InjectAnswer> {
  return await harness.app.inject({
    method: 'POST',
    url,
    payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    headers: {
      host: 'localhost:8080',
      'content-type': FORM_TYPE,
      ...(basic === undefined ? {} : { authorization: toBasic(basic) }),
      ...headers,
    },
  });
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly authorization_details: readonly {
    readonly type: string;
    readonly actions: string[];
    readonly identifiers: string[];
  }[];
  readonly issued_token_type?: string;
}

function toToken(answer: InjectAnswer): TokenAnswer {
  if (answer.statusCode !== 200) throw new Error(`No token: ${answer.statusCode} ${answer.body}`);
  return answer.json<TokenAnswer>();
}

/** A token by client_credentials. @throws Error with the answer of the server */
export async function getToken(
  harness: Harness,
  client: ClientPair,
  asked: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  const form = { grant_type: 'client_credentials', ...asked };
  return toToken(await postForm(harness, '/oauth2/token', form, { basic: client }));
}

/** A token in exchange for another one. @throws Error with the answer of the server */
export async function exchangeToken(
  harness: Harness,
  subjectToken: string,
  asked: Readonly<Record<string, string>> = {},
  client?: ClientPair,
): Promise<TokenAnswer> {
  return toToken(
    await postForm(harness, '/oauth2/token', exchangeForm(subjectToken, asked), { basic: client }),
  );
}

export function exchangeForm(
  subjectToken: string,
  asked: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN_TYPE,
    ...asked,
  };
}

/** `authorization_details` for these actions on these identifiers. */
export function toDetailsText(actions: readonly string[], identifiers: readonly string[]): string {
  return JSON.stringify([{ type: 'keyreeve', actions, identifiers }]);
}
