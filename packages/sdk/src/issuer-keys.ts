import { type CryptoKey, importJWK, type JWK } from 'jose';
import { readBoundedText } from './bounded-text.ts';
import { KeyreeveError, KeyreeveTransportError, toKeyreeveError } from './errors.ts';
import { ALGORITHMS, type Algorithm, isRecord, KID_FORM } from './token-text.ts';

/** As long as the server lets caches keep its keys. */
const FRESH_MS = 5 * 60_000;
/** So long the last keys serve while no newer ones can be had: a restart of the server refuses nobody. */
const USABLE_MS = 15 * 60_000;
/** Whoever sends tokens chooses the key ids in them: unknown ones make us ask again this often and no oftener. */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000;
/** While nothing usable is at hand, the server is asked this often, however many tokens come. */
const FAILURE_COOLDOWN_MS = 5_000;
const DOCUMENT_BYTES_MAX = 65_536;

interface PublishedKey {
  readonly algorithm: Algorithm;
  readonly key: CryptoKey;
}

export interface IssuerOptions {
  readonly issuer: string;
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
}

/** RFC 8414 3.1: the well-known part goes between host and path. */
function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
}

function malformed(url: string): KeyreeveTransportError {
  const message = `${url} answered something else than was asked for. Is it the address of a Keyreeve workspace?`;
  return new KeyreeveTransportError('client.malformed_answer', message);
}

/** What a fatal TextDecoder throws; `fetch` throws TypeErrors too, without this code. */
function isDecodingFault(error: unknown): boolean {
  return (
    error instanceof TypeError && (error as { code?: unknown }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
  );
}

/**
 * A JSON object of at most 64 KiB, within the time limit, from this address and no other: redirects are not followed.
 *
 * @throws KeyreeveError when what was posted is refused
 * @throws KeyreeveTransportError
 */
export async function fetchDocument(
  url: string,
  options: Pick<IssuerOptions, 'timeoutMs' | 'fetch'>,
  init: RequestInit = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { timeoutMs, fetch } = options;
  try {
    const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) };
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { ...init, headers, redirect: 'manual', signal });
    if (response.status >= 500)
      throw new KeyreeveTransportError('client.unreachable', `${url} answered ${response.status}.`);
    // Whoever sent something is told what is wrong with it; a document that is not there tells of a wrong address.
    if (!response.ok) throw init.method === 'POST' ? await toKeyreeveError(response) : malformed(url);
    const text = await readBoundedText(response, DOCUMENT_BYTES_MAX);
    const value: unknown = text === null ? null : JSON.parse(text);
    if (!isRecord(value)) throw malformed(url);
    return value;
  } catch (error) {
    if (error instanceof KeyreeveTransportError || error instanceof KeyreeveError) throw error;
    // JSON.parse and a fatal TextDecoder, in this order.
    if (error instanceof SyntaxError || isDecodingFault(error)) throw malformed(url);
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new KeyreeveTransportError('client.timeout', `${url} did not answer within ${timeoutMs} ms.`);
    throw new KeyreeveTransportError('client.unreachable', `${url} cannot be reached.`, { cause: error });
  }
}

/** The usable keys of a JWKS (RFC 7517); what is not one of our kind is passed over, and so is an id that stands twice. */
async function importKeys(document: unknown): Promise<ReadonlyMap<string, PublishedKey>> {
  const list = isRecord(document) && Array.isArray(document['keys']) ? document['keys'] : [];
  const entries = await Promise.all(list.filter(isRecord).map((jwk) => importOne(jwk)));
  const found = entries.filter((entry) => entry !== null);
  const ids = found.map(([kid]) => kid);
  return new Map(found.filter(([kid]) => ids.indexOf(kid) === ids.lastIndexOf(kid)));
}

async function importOne(jwk: Readonly<Record<string, unknown>>): Promise<[string, PublishedKey] | null> {
  const { kid, alg, use } = jwk;
  const algorithm = ALGORITHMS.find((name) => name === alg);
  if (typeof kid !== 'string' || !KID_FORM.test(kid) || use !== 'sig' || algorithm === undefined) return null;
  try {
    const key = await importJWK(jwk as JWK, algorithm);
    return key instanceof Uint8Array || key.type !== 'public' ? null : [kid, { algorithm, key }];
  } catch {
    return null;
  }
}

/**
 * What an issuer publishes about itself, found from its address alone (RFC 8414): nothing that a token says leads
 * anywhere. jose has a remote key set too, but it asks anew for each token while the issuer is away, and forgets
 * keys that are still good.
 */
export class IssuerKeys {
  readonly #options: IssuerOptions;
  #metadata: Readonly<Record<string, unknown>> | null = null;
  #keys: ReadonlyMap<string, PublishedKey> | null = null;
  #fetchedAt = 0;
  #lastFailure: { readonly at: number; readonly error: unknown } | null = null;
  #lastMissAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | null = null;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /**
   * The key with this id, if it is for this algorithm; null when the issuer does not publish such a key.
   *
   * @throws KeyreeveTransportError when it cannot be known
   */
  async find(kid: string, algorithm: Algorithm): Promise<CryptoKey | null> {
    const found = await this.#findPublished(kid);
    return found?.algorithm === algorithm ? found.key : null;
  }

  /** Whether the issuer publishes a key with this id. @throws KeyreeveTransportError when it cannot be known */
  async has(kid: string): Promise<boolean> {
    return (await this.#findPublished(kid)) !== undefined;
  }

  async #findPublished(kid: string): Promise<PublishedKey | undefined> {
    const keys = await this.#load();
    let found = keys.get(kid);
    if (found === undefined && !this.#isWithin(this.#lastMissAt, UNKNOWN_KEY_COOLDOWN_MS)) {
      this.#lastMissAt = Date.now();
      await this.#refresh();
      found = this.#keys?.get(kid);
    }
    return found;
  }

  /**
   * An address of the issuer's own, by its name in the metadata.
   *
   * @throws KeyreeveTransportError when the metadata cannot be had, is that of somebody else, or names no such address
   */
  async endpoint(name: string): Promise<string> {
    const { issuer } = this.#options;
    const url = metadataUrl(issuer);
    const metadata = (this.#metadata ??= await fetchDocument(url, this.#options));
    const value = metadata[name];
    // RFC 8414 3.3: the document must be that of this very issuer. Its addresses must be its own as well.
    const isOwn =
      metadata['issuer'] === issuer &&
      typeof value === 'string' &&
      URL.canParse(value) &&
      new URL(value).origin === new URL(issuer).origin;
    if (isOwn) return value;
    this.#metadata = null;
    throw malformed(url);
  }

  /** A clock that was set back must not keep an old answer alive. */
  #isWithin(moment: number, ms: number): boolean {
    const age = Date.now() - moment;
    return age >= 0 && age < ms;
  }

  async #load(): Promise<ReadonlyMap<string, PublishedKey>> {
    const { at, error } = this.#lastFailure ?? { at: Number.NEGATIVE_INFINITY, error: null };
    const isUsable = () => this.#keys !== null && this.#isWithin(this.#fetchedAt, USABLE_MS);
    if (this.#keys !== null && this.#isWithin(this.#fetchedAt, FRESH_MS)) return this.#keys;
    if (this.#isWithin(at, FAILURE_COOLDOWN_MS)) {
      if (this.#keys !== null && isUsable()) return this.#keys;
      throw error;
    }
    try {
      await this.#refresh();
    } catch (failure) {
      if (!isUsable()) throw failure;
    }
    return this.#keys ?? new Map();
  }

  /** Many tokens at once wait for one answer. */
  async #refresh(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = null;
    });
    await this.#pending;
  }

  async #fetch(): Promise<void> {
    try {
      const url = await this.endpoint('jwks_uri');
      const startedAt = Date.now();
      const keys = await importKeys(await fetchDocument(url, this.#options));
      // An issuer without a single key of ours is a wrong address or a broken proxy, not a reason to refuse tokens.
      if (keys.size === 0) throw malformed(url);
      this.#keys = keys;
      this.#fetchedAt = startedAt;
      this.#lastFailure = null;
    } catch (error) {
      this.#metadata = null;
      this.#lastFailure = { at: Date.now(), error };
      throw error;
    }
  }
}
