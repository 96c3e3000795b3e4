import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { fromPair, parseBasic } from '../../http/index.ts';
import { isAction } from '../scopes/index.ts';
import type { Question } from './decide.ts';
import { isResource } from './question.ts';

/** A credential in our own form, in its halves. Only its shape is known to be right. */
export interface PlainCredential {
  readonly apiKey: string;
  readonly secretKey: string;
}

export interface PlainVerification {
  readonly presented: PlainCredential;
  readonly question: Question;
  readonly ip: string | null;
}

const SECRET_CHARACTERS = 49;
const FULL_KEY = /^[a-z]{2,8}_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/;
const API_KEY = /^[a-z]{2,8}_[0-9A-Za-z]{16}$/;
const BEARER = 'bearer ';

/** What is asked about when no resource is named. */
const EVERYTHING = '*';
const NO_QUESTION: Question = { action: null, resource: null };
/** Letters that mean themselves in a query, to every reader of one, or escapes, which are looked at when decoded. */
const QUERY = /^action=([a-z0-9:-]+)(?:&resource=([A-Za-z0-9_.~:@/*!$,%-]+))?$/;

/** One member of a flat JSON object whose text needs no unescaping, and what parts it from the next. */
const MEMBER = /\{? ?"(key|action|resource|ip)": ?"([ !#-[\]-~]*)"(,|\}$)/y;

function splitFullKey(text: string): PlainCredential | null {
  if (!FULL_KEY.test(text)) return null;
  const cut = text.length - SECRET_CHARACTERS;
  return { apiKey: text.slice(0, cut - 1), secretKey: text.slice(cut) };
}

function fromAuthorization(header: string): PlainCredential | null {
  if (header.slice(0, BEARER.length).toLowerCase() === BEARER)
    return splitFullKey(header.slice(BEARER.length));
  const basic = parseBasic(header);
  if (basic === null) return null;
  const credential = fromPair(basic.user, basic.password);
  if (credential.kind !== 'pair') return splitFullKey(credential.value.reveal());
  return API_KEY.test(credential.apiKey)
    ? { apiKey: credential.apiKey, secretKey: credential.secretKey.reveal() }
    : null;
}

/**
 * The one credential of a request when it is a key of ours, written as we show it. Null for everything else: `http/`
 * reads all forms, and knows what to say about those that are none.
 */
export function readPlainCredential(headers: IncomingHttpHeaders): PlainCredential | null {
  const { authorization, 'x-api-key': apiKey, 'x-nuget-apikey': nugetKey } = headers;
  if (authorization !== undefined)
    return apiKey === undefined && nugetKey === undefined ? fromAuthorization(authorization) : null;
  const only = nugetKey === undefined ? apiKey : apiKey === undefined ? nugetKey : undefined;
  return typeof only === 'string' ? splitFullKey(only) : null;
}

/** The question in a query string (without its `?`), or null when it is not plain. */
export function readPlainQuery(query: string): Question | null {
  if (query === '') return NO_QUESTION;
  const match = QUERY.exec(query);
  if (match === null) return null;
  const [, action, spelled] = match as unknown as readonly [string, string, string | undefined];
  if (!isAction(action)) return null;
  if (spelled === undefined) return { action, resource: null };
  const resource = spelled.includes('%') ? decode(spelled) : spelled;
  return resource !== null && isResource(resource) ? { action, resource } : null;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** What a body asks, or null when it is not plain. Only printable ASCII, each member at most once, nothing escaped. */
export function readPlainBody(text: string): PlainVerification | null {
  const members = readMembers(text);
  if (members?.key === undefined) return null;
  const presented = splitFullKey(members.key);
  if (presented === null) return null;
  const { action, resource, ip } = members;
  if (ip !== undefined && isIP(ip) === 0) return null;
  if (action === undefined)
    return resource === undefined ? { presented, question: NO_QUESTION, ip: ip ?? null } : null;
  if (!isAction(action) || !isResource(resource ?? EVERYTHING)) return null;
  return { presented, question: { action, resource: resource ?? null }, ip: ip ?? null };
}

type Members = Partial<Record<'key' | 'action' | 'resource' | 'ip', string>>;

function readMembers(text: string): Members | null {
  const members: Members = {};
  MEMBER.lastIndex = 0;
  for (;;) {
    const start = MEMBER.lastIndex;
    const match = MEMBER.exec(text);
    if (match === null || (text[start] === '{') !== (start === 0)) return null;
    const [, field, value, after] = match as unknown as readonly [string, keyof Members, string, string];
    if (members[field] !== undefined) return null;
    members[field] = value;
    if (after !== ',') return members;
  }
}
