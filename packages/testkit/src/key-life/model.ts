import { DAY_MS, HOUR_MS } from '@keyreeve/server';

/**
 * The life of keys as the design tells it, in memory and without any care for speed: what a test holds the product
 * against. It knows nothing of rows, epochs, digests or caches.
 */

export const ACTION = 'stock:read';
/** Every pattern of this little world with the names that it matches and the patterns that lie within it. */
const PATTERNS = {
  '*': { names: ['A.B', 'A.C', 'AB', 'B'], within: ['*', 'A*', 'A.*', 'A.B', 'B'] },
  'A*': { names: ['A.B', 'A.C', 'AB'], within: ['A*', 'A.*', 'A.B'] },
  'A.*': { names: ['A.B', 'A.C'], within: ['A.*', 'A.B'] },
  'A.B': { names: ['A.B'], within: ['A.B'] },
  B: { names: ['B'], within: ['B'] },
} as const;

export type Pattern = keyof typeof PATTERNS;
export const ALL_PATTERNS = Object.keys(PATTERNS) as Pattern[];
export const NAMES = PATTERNS['*'].names;
export type Name = (typeof NAMES)[number];

/** What its holder is told of a secret; `not_found` is what everybody else is told. */
export type Code = 'valid' | 'insufficient_scope' | 'expired' | 'disabled' | 'account_disabled' | 'not_found';

export interface ModelSecret {
  readonly keyIndex: number;
  /** The full key. */
  readonly text: string;
  expiresAt: number;
  /** False once nothing can bring it back: regenerated away, ended, revoked or deleted. */
  isAlive: boolean;
}

export interface ModelToken {
  readonly secret: ModelSecret;
  readonly text: string;
  /** The first millisecond at which it is no good. */
  readonly expiresAt: number;
  isAlive: boolean;
}

export interface ModelKey {
  readonly id: string;
  readonly lifetimeDays: number;
  patterns: readonly Pattern[];
  isEnabled: boolean;
  isDeleted: boolean;
  current: ModelSecret;
  old: ModelSecret | null;
}

/** A rule of the model that can be told wrongly, to see that the product is then found to differ. */
export type Rule =
  | 'the old secret dies at once'
  | 'the overlap ends'
  | 'a new secret does not enable'
  | 'enabling brings no token back'
  | 'narrowing ends tokens'
  | 'the end itself is too late'
  | 'grants narrow keys at once'
  | 'an account that is back brings its keys back';

export class Model {
  readonly keys: ModelKey[] = [];
  readonly secrets: ModelSecret[] = [];
  readonly tokens: ModelToken[] = [];
  isAccountActive = true;
  grants: readonly Pattern[] = ['*'];
  readonly #broken: Rule | null;

  constructor(broken: Rule | null = null) {
    this.#broken = broken;
  }

  #holds(rule: Rule): boolean {
    return this.#broken !== rule;
  }

  create(id: string, text: string, patterns: readonly Pattern[], lifetimeDays: number, now: number): void {
    const current = this.#addSecret(this.keys.length, text, now + lifetimeDays * DAY_MS);
    this.keys.push({ id, lifetimeDays, patterns, isEnabled: true, isDeleted: false, current, old: null });
  }

  /** May a key of the account be given these patterns? */
  areGranted(patterns: readonly Pattern[]): boolean {
    return patterns.every((pattern) => isWithin(this.grants, pattern));
  }

  edit(key: ModelKey, patterns: readonly Pattern[]): void {
    const isNarrowed = !key.patterns.every((pattern) => isWithin(patterns, pattern));
    key.patterns = patterns;
    if (isNarrowed && this.#holds('narrowing ends tokens'))
      this.#endTokens((token) => this.#isOf(token, key));
  }

  isActive(key: ModelKey, now: number): boolean {
    return key.isEnabled && !this.#isOver(key.current, now);
  }

  regenerate(key: ModelKey, text: string, overlapHours: number, now: number): void {
    if (key.old !== null) key.old.isAlive = false;
    const { current } = key;
    if (overlapHours > 0) current.expiresAt = Math.min(current.expiresAt, now + overlapHours * HOUR_MS);
    else if (this.#holds('the old secret dies at once')) current.isAlive = false;
    key.old = overlapHours > 0 ? current : null;
    key.current = this.#addSecret(this.keys.indexOf(key), text, now + key.lifetimeDays * DAY_MS);
    if (!this.#holds('a new secret does not enable')) key.isEnabled = true;
    if (!this.#holds('the overlap ends') && key.old !== null) key.old.expiresAt = Number.POSITIVE_INFINITY;
  }

  hasOverlap(key: ModelKey, now: number): boolean {
    return key.old !== null && !this.#isOver(key.old, now);
  }

  endOverlap(key: ModelKey): void {
    if (key.old !== null) key.old.isAlive = false;
    key.old = null;
  }

  disable(key: ModelKey): void {
    if (!key.isEnabled) return;
    key.isEnabled = false;
    if (this.#holds('enabling brings no token back')) this.#endTokens((token) => this.#isOf(token, key));
  }

  enable(key: ModelKey): void {
    key.isEnabled = true;
  }

  remove(key: ModelKey): void {
    key.isDeleted = true;
    this.#killSecrets(key);
  }

  /** Whoever holds it kills it: the key stays, disabled and without a secret. */
  revoke(key: ModelKey): void {
    this.#killSecrets(key);
    key.isEnabled = false;
  }

  setAccount(isActive: boolean): void {
    if (isActive === this.isAccountActive) return;
    this.isAccountActive = isActive;
    this.#endTokens(() => true);
    if (isActive && !this.#holds('an account that is back brings its keys back'))
      for (const key of this.keys) this.disable(key);
  }

  setGrants(grants: readonly Pattern[]): void {
    if (grants.join() === this.grants.join()) return;
    this.grants = grants;
    this.#endTokens(() => true);
  }

  addToken(secret: ModelSecret, text: string, expiresAt: number): void {
    this.tokens.push({ secret, text, expiresAt, isAlive: true });
  }

  codeOf(secret: ModelSecret, name: Name, now: number): Code {
    const key = this.keys[secret.keyIndex];
    if (key === undefined || !secret.isAlive) return 'not_found';
    if (!this.isAccountActive) return 'account_disabled';
    if (!key.isEnabled) return 'disabled';
    if (this.#isOver(secret, now)) return 'expired';
    const isGranted = matchesAny(this.grants, name) || !this.#holds('grants narrow keys at once');
    return matchesAny(key.patterns, name) && isGranted ? 'valid' : 'insufficient_scope';
  }

  isTokenGood(token: ModelToken, now: number): boolean {
    const code = this.codeOf(token.secret, 'B', now);
    return token.isAlive && now < token.expiresAt && (code === 'valid' || code === 'insufficient_scope');
  }

  /** The next moment at which a secret or a token ends by itself, or null. */
  nextEnd(now: number): number | null {
    const ends = [...this.secrets, ...this.tokens]
      .filter(({ isAlive, expiresAt }) => isAlive && expiresAt > now && Number.isFinite(expiresAt))
      .map(({ expiresAt }) => expiresAt);
    return ends.length === 0 ? null : Math.min(...ends);
  }

  #isOver({ expiresAt }: ModelSecret, now: number): boolean {
    return this.#holds('the end itself is too late') ? now >= expiresAt : now > expiresAt;
  }

  #isOf({ secret }: ModelToken, key: ModelKey): boolean {
    return this.keys[secret.keyIndex] === key;
  }

  #addSecret(keyIndex: number, text: string, expiresAt: number): ModelSecret {
    const secret = { keyIndex, text, expiresAt, isAlive: true };
    this.secrets.push(secret);
    return secret;
  }

  #killSecrets(key: ModelKey): void {
    for (const secret of this.secrets) if (this.keys[secret.keyIndex] === key) secret.isAlive = false;
    key.old = null;
  }

  #endTokens(isMeant: (token: ModelToken) => boolean): void {
    for (const token of this.tokens) if (isMeant(token)) token.isAlive = false;
  }
}

function isWithin(held: readonly Pattern[], pattern: Pattern): boolean {
  return held.some((outer) => (PATTERNS[outer].within as readonly string[]).includes(pattern));
}

function matchesAny(patterns: readonly Pattern[], name: Name): boolean {
  return patterns.some((pattern) => (PATTERNS[pattern].names as readonly string[]).includes(name));
}
