import { Buffer } from 'node:buffer';
import type { Harness } from '@keyreeve/testkit';
import type { Person, Right } from './cast.ts';
import type { Headers, Minted, Town } from './town.ts';

/** Who a credential truly is: what the oracle decides by. Written down beside the making, never asked of the server. */
export type Facts =
  | { readonly kind: 'nobody' }
  /** Sent to a host that is no workspace. */
  | { readonly kind: 'astray' }
  /** Two different credentials in one request. */
  | { readonly kind: 'ambiguous' }
  /** Something that is no good, or no good any more, or no good here. */
  | { readonly kind: 'bad'; readonly carrier: 'cookie' | 'header' }
  | { readonly kind: 'session'; readonly person: Person }
  | {
      readonly kind: 'key' | 'token';
      readonly person: Person;
      /** Scopes of the key and grants of its account, both. */
      readonly rights: readonly Right[];
      /** The account whose packages it acts for. */
      readonly owner: Person;
    };

export interface Credential {
  readonly name: string;
  readonly facts: Facts;
  /** The workspace that the request is sent to, and the other one. */
  readonly home: Town;
  readonly away: Town;
  readonly headers: Headers;
  /** The request says that another site has started it. */
  readonly isCrossSite: boolean;
  /** For `/iam/login`, which takes the credential in its body. */
  readonly pair: { readonly apiKey: string; readonly secretKey: string } | null;
  /** For the routes that take a token in the query string. */
  readonly token: string | null;
}

export interface World {
  readonly harness: Harness;
  readonly acme: Town;
  readonly bolt: Town;
  readonly credentials: readonly Credential[];
}

/** What must be older than the rest: the clock moves on by a day and an hour before anything else is made. */
export interface Early {
  readonly expiredKey: Minted;
  readonly expiredToken: string;
  readonly idleCookie: string;
}

export const SCOPED = { access: 'scoped' } as const;
export type Details = Partial<Pick<Credential, 'headers' | 'isCrossSite' | 'pair' | 'token'>>;
export type Make = (name: string, facts: Facts, details?: Details, at?: 'acme' | 'bolt') => Credential;

export function makerFor(acme: Town, bolt: Town): Make {
  return (name, facts, details = {}, at = 'acme') => {
    const [home, away] = at === 'acme' ? [acme, bolt] : [bolt, acme];
    const { headers = {}, ...rest } = details;
    return {
      name,
      facts,
      home,
      away,
      isCrossSite: false,
      pair: null,
      token: null,
      ...rest,
      headers: { host: home.host, ...headers },
    };
  };
}

export const NOBODY: Facts = { kind: 'nobody' };
export const BAD: Facts = { kind: 'bad', carrier: 'header' };
export const ENDED: Facts = { kind: 'bad', carrier: 'cookie' };

export const bearer = (text: string): Headers => ({ authorization: `Bearer ${text}` });
export const cookieOf = (town: Town, person: Person): Headers => ({ cookie: town.cookies[person] ?? '' });

/** The three spellings of one key take turns, so that each meets each route. */
export function spell(
  key: Minted,
  spelling: 'bearer' | 'basic' | 'x-api-key' | 'x-nuget-apikey' = 'bearer',
): Details {
  const basic = Buffer.from(`${key.apiKey}:${key.secretKey}`).toString('base64');
  const headers =
    spelling === 'bearer'
      ? bearer(key.fullKey)
      : spelling === 'basic'
        ? { authorization: `Basic ${basic}` }
        : { [spelling]: key.fullKey };
  return { headers, pair: { apiKey: key.apiKey, secretKey: key.secretKey } };
}

export const keyOf = (person: Person, rights: readonly Right[], owner = person): Facts => ({
  kind: 'key',
  person,
  rights,
  owner,
});
export const tokenOf = (person: Person, rights: readonly Right[]): Facts => ({
  kind: 'token',
  person,
  rights,
  owner: person,
});
