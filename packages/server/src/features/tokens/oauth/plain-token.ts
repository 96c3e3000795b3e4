import { AppError } from '../../../errors/index.ts';
import {
  fromPair,
  type PlainRequest,
  type PlainRoute,
  parseBasic,
  type ReadyAnswer,
  type RequestFacts,
  readUserAgent,
} from '../../../http/index.ts';
import { Secret } from '../../../lib/secret.ts';
import type {
  KeyAuthenticator,
  PlainPlace,
  PlainPlaces,
  RecognizedKey,
  UsageRecorder,
} from '../../keys/index.ts';
import { effectivePermissions } from '../../scopes/index.ts';
import { permissionsOf } from '../claims.ts';
import type { PreparedToken } from '../prepared-token.ts';
import type { TokensService } from '../tokens.service.ts';
import { ROUTE_ACTIONS } from './client-authentication.ts';
import { type Form, parseForm } from './form.ts';
import { narrowRights, readAskedRights, readResource } from './narrowing.ts';
import { presentToken } from './oauth.present.ts';
import { TOKEN_ROUTE } from './token-exchange.ts';
import { CLIENT_CREDENTIALS } from './token-grants.ts';

export interface PlainTokenDeps {
  readonly keyAuthenticator: KeyAuthenticator;
  readonly tokens: TokensService;
  readonly usage: UsageRecorder;
  readonly places: PlainPlaces;
  readonly facts: RequestFacts;
}

interface Asked {
  readonly apiKey: string;
  readonly secretKey: string;
  /** The form, without the values of id and secret. */
  readonly wish: string;
}

/**
 * What is the same in all tokens that a key gets with the same wish. Kept by the key as it was recognized: with the
 * epoch, under which the settings are known too, that becomes another object.
 */
interface Kept {
  readonly wish: string;
  readonly prepared: PreparedToken;
  /** The body of the answer, from behind the life of the token. */
  readonly rest: string;
}

// Each takes a few KB with its texts, so all of them some MB.
const KEPT_MAX = 2_000;
const WISH_CHARACTERS_MAX = 512;

const NAME = /^\w+$/;
const SECRET = /^[0-9A-Za-z]{49}$/;
const CLIENT_ID = 'client_id=';
const CLIENT_SECRET = 'client_secret=';
const CLIENT_PARAMETERS = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'];
const LIFE = '"expires_in":';

/**
 * The plain case of `POST /oauth2/token`: client_credentials with a key of ours, good and without limits, that was
 * written as we show it. On PostgreSQL, and where RSA signs, there is something to wait for, and the routes answer.
 */
export function createPlainToken(deps: PlainTokenDeps): PlainRoute {
  const kept = new Map<RecognizedKey, Kept>();
  return {
    method: 'POST',
    path: TOKEN_ROUTE,
    bodyTypes: ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8'],
    answer: (request, body) => answer(deps, kept, request, body),
  };
}

function answer(
  deps: PlainTokenDeps,
  kept: Map<RecognizedKey, Kept>,
  request: PlainRequest,
  body: string,
): ReadyAnswer | null {
  const asked = readAsked(request.headers.authorization, body);
  if (asked === null) return null;
  const place = deps.places.find(request, deps.facts.host(request));
  if (place === null) return null;
  const found = deps.keyAuthenticator.recognize(place, asked, place.ip);
  if (found === null) return null;
  const { prepared, rest } = findKept(deps, kept, place, found, asked.wish) ?? {};
  const issued = prepared?.issueNow() ?? null;
  if (issued === null) return null;
  const { workspaceId, ip } = place;
  deps.usage.record({
    workspaceId,
    keyId: found.key.id,
    action: ROUTE_ACTIONS[TOKEN_ROUTE],
    outcome: 'valid',
    ip,
    userAgent: readUserAgent(request),
  });
  const { token, expiresInSeconds } = issued;
  return {
    status: 200,
    headerLines: `${deps.places.headLines(place, found.key.expiresAt)}content-type: application/json; charset=utf-8\r\npragma: no-cache\r\n`,
    body: `{"access_token":"${token}","token_type":"Bearer",${LIFE}${expiresInSeconds}${rest}`,
    ip,
    workspaceId,
    actorId: found.account.id,
  };
}

/** Null for whatever is not written plainly: `readClient` reads all forms, and knows what to say about the others. */
function readAsked(authorization: string | undefined, body: string): Asked | null {
  if (body.length > WISH_CHARACTERS_MAX) return null;
  if (authorization === undefined) return readClientOfBody(body);
  const basic = parseBasic(authorization);
  const credential = basic === null ? null : fromPair(basic.user, basic.password);
  if (credential?.kind !== 'pair' || !NAME.test(credential.apiKey)) return null;
  return { apiKey: credential.apiKey, secretKey: credential.secretKey.reveal(), wish: body };
}

/** What the client is known by is left out of the wish, but not its names: a second one of a name is refused. */
function readClientOfBody(body: string): Asked | null {
  let [apiKey, secretKey] = ['', ''];
  const wish = body.split('&').map((part) => {
    if (part.startsWith(CLIENT_ID)) {
      apiKey = part.slice(CLIENT_ID.length);
      return CLIENT_ID;
    }
    if (!part.startsWith(CLIENT_SECRET)) return part;
    secretKey = part.slice(CLIENT_SECRET.length);
    return CLIENT_SECRET;
  });
  return NAME.test(apiKey) && SECRET.test(secretKey) ? { apiKey, secretKey, wish: wish.join('&') } : null;
}

/** Null where the routes would refuse. */
function findKept(
  deps: PlainTokenDeps,
  kept: Map<RecognizedKey, Kept>,
  place: PlainPlace,
  found: RecognizedKey,
  wish: string,
): Kept | null {
  const known = kept.get(found);
  if (known?.wish === wish) return known;
  const made = prepare(deps, place, found, wish);
  if (made === null) return null;
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(found, made);
  return made;
}

function prepare(
  { tokens }: PlainTokenDeps,
  { workspace, settings }: PlainPlace,
  found: RecognizedKey,
  wish: string,
): Kept | null {
  try {
    const form = parseForm(Buffer.from(wish, 'latin1'));
    if (form.get('grant_type') !== CLIENT_CREDENTIALS || hasClient(form)) return null;
    const held = effectivePermissions(found.account, found.key);
    const permissions = narrowRights(held, readAskedRights(form));
    const prepared = tokens.prepare(workspace, settings, found, {
      resource: readResource(form),
      permissions,
    });
    return { wish, prepared, rest: toRest(prepared) };
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Also under a name that is spelled with percent signs. */
function hasClient(form: Form): boolean {
  return CLIENT_PARAMETERS.some((name) => form.has(name));
}

function toRest({ claims }: PreparedToken): string {
  const issued = { token: new Secret(''), claims };
  const permissions = permissionsOf(claims) ?? [];
  const text = JSON.stringify(presentToken({ issued, permissions, isExchanged: false, keyExpiresAt: null }));
  return text.slice(text.indexOf(',', text.indexOf(LIFE)));
}
