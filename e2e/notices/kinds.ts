import { DAY_MS, HOUR_MS, inTransaction } from '@keyreeve/server';
import { buildNupkg, call, type Harness } from '@keyreeve/testkit';
import type { Locale, NoticeKind } from '../../packages/server/src/jobs/index.ts';
import { Secret } from '../../packages/server/src/lib/secret.ts';

/** A mail that is on its way, and what it must say. */
export interface ExpectedMail {
  readonly name: string;
  readonly kind: NoticeKind;
  readonly locale: Locale;
  readonly messageId: string;
  readonly address: string;
  readonly subject: string;
  /** Each stands in the text and in what the HTML shows. */
  readonly tells: readonly string[];
  /** Milliseconds: each is told in the reader's time zone and in UTC. */
  readonly instants: readonly number[];
  /** Where its button leads. A link that hands something out ends with a token that only this mail has. */
  readonly link: RegExp | null;
  /** Of a mail by value; no other mail holds a secret. */
  readonly secretKey: string | null;
}

export const READERS = {
  en: { name: 'Ada "the First" Lovelace', email: 'ada@example.com', timeZone: 'America/New_York' },
  ja: { name: '山田 花子', email: 'hanako@example.com', timeZone: 'Asia/Tokyo' },
} as const;

const URL_OF_WORKSPACE = 'https://keys.example.com';
const PASSWORD = 'lantern orchard seventeen';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const LIFETIME_DAYS = 90;
/** Of keys whose end is not looked at. */
const LONG_LIFETIME_DAYS = 365;
/** Markup and a link that is none of ours, in a comment. */
const COMMENT = { en: 'Nightly <b>build</b> & "pack"', ja: '夜間ビルド <b>配布</b> & 「検証」' } as const;

const WORDS = {
  en: {
    actor: 'Grace Hopper, from 127.0.0.1',
    subjects: {
      'account.invitation': (name: string) => `[Keyreeve] Invitation for ${name}`,
      'account.password_reset': (name: string) => `[Keyreeve] Password reset for ${name}`,
      'session.new_place': () => '[Keyreeve] Sign-in from a new place',
      'webhook.disabled': (host: string) => `[Keyreeve] Webhook to ${host} was disabled`,
      'package.owner_requested': (id: string) => `[Keyreeve] Request to own the package ${id}`,
      'package.owners_changed': (id: string) => `[Keyreeve] Owners of the package ${id}`,
      'key.delivery': (name: string) => `[Keyreeve] API key for ${name}`,
      'key.created': (key: string) => `[Keyreeve] API key “${key}” was created`,
      'key.regenerated': (key: string) => `[Keyreeve] API key “${key}” was regenerated`,
      'key.changed': (key: string) => `[Keyreeve] API key “${key}” was changed`,
      'key.disabled': (key: string) => `[Keyreeve] API key “${key}” was disabled`,
      'key.enabled': (key: string) => `[Keyreeve] API key “${key}” was enabled`,
      'key.deleted': (key: string) => `[Keyreeve] API key “${key}” was deleted`,
      'key.expiring': (key: string) => `[Keyreeve] API key “${key}” is about to expire`,
      'key.expired': (key: string) => `[Keyreeve] API key “${key}” has expired`,
      'key.refused': (key: string) => `[Keyreeve] API key “${key}” is being refused repeatedly`,
    },
  },
  ja: {
    actor: 'Grace Hopper（127.0.0.1から）',
    subjects: {
      'account.invitation': (name: string) => `[Keyreeve] ${name} 様へのご招待`,
      'account.password_reset': (name: string) => `[Keyreeve] ${name} 様のパスワード再設定のご案内`,
      'session.new_place': () => '[Keyreeve] 新しい場所からのサインイン',
      'webhook.disabled': (host: string) => `[Keyreeve] ${host} へのWebhookが停止されました`,
      'package.owner_requested': (id: string) => `[Keyreeve] パッケージ「${id}」の所有者になる依頼`,
      'package.owners_changed': (id: string) => `[Keyreeve] パッケージ「${id}」の所有者の変更`,
      'key.delivery': (name: string) => `[Keyreeve] 「${name}」のAPIキーのお知らせ`,
      'key.created': (key: string) => `[Keyreeve] APIキー「${key}」が作成されました`,
      'key.regenerated': (key: string) => `[Keyreeve] APIキー「${key}」が再生成されました`,
      'key.changed': (key: string) => `[Keyreeve] APIキー「${key}」が変更されました`,
      'key.disabled': (key: string) => `[Keyreeve] APIキー「${key}」が停止されました`,
      'key.enabled': (key: string) => `[Keyreeve] APIキー「${key}」が再開されました`,
      'key.deleted': (key: string) => `[Keyreeve] APIキー「${key}」が削除されました`,
      'key.expiring': (key: string) => `[Keyreeve] APIキー「${key}」の有効期限が近づいています`,
      'key.expired': (key: string) => `[Keyreeve] APIキー「${key}」の有効期限が切れました`,
      'key.refused': (key: string) => `[Keyreeve] APIキー「${key}」が繰り返し拒否されています`,
    },
  },
} as const;

/** The key whose end is waited for. */
interface ReadersKey {
  readonly keyId: string;
  readonly expiresAt: number;
  readonly usedAt: number;
}

/** What a cause left behind: what its mail must tell beside what all mails of its kind do. */
interface Cause {
  readonly tells?: readonly string[];
  readonly instants?: readonly number[];
  readonly link?: RegExp | null;
  readonly secretKey?: string;
}

/**
 * The life of one reader and of his keys, in which every kind of notice comes about, each by what really brings it
 * about in the product.
 */
export class NoticedLife {
  readonly expected: ExpectedMail[] = [];
  readonly secrets: string[] = [];
  readonly #harness: Harness;
  readonly #admin: Awaited<ReturnType<Harness['callerOf']>>;
  readonly #locale: Locale;
  readonly #everythingSent: () => Promise<void>;
  readonly #seen = new Set<string>();

  constructor(
    harness: Harness,
    admin: Awaited<ReturnType<Harness['callerOf']>>,
    locale: Locale,
    everythingSent: () => Promise<void>,
  ) {
    this.#everythingSent = everythingSent;
    this.#harness = harness;
    this.#admin = admin;
    this.#locale = locale;
  }

  /** Until before the key of the reader is about to expire. */
  async begin(): Promise<ReadersKey> {
    const { deps, clock } = this.#harness;
    const accountId = await this.#arrive();
    const key = await this.#make(accountId);
    await this.#change(key.id);
    const renewed = await this.#renew(key.id);
    await this.#deliver(accountId);
    await this.#share(accountId);
    const usedAt = clock.now();
    await this.#ask(renewed.fullKey, 'Hayama.Core', 204);
    clock.advance(HOUR_MS);
    await this.#refuse(key.id, renewed);
    await deps.usage.flush();
    // Administrators are told of webhooks.
    await deps.accounts.update(this.#admin, 'user', accountId, { role: 'admin' }, null);
    return { keyId: key.id, expiresAt: renewed.expiresAt, usedAt };
  }

  /** The sweep has just told of the key. */
  async stop(kind: 'key.expiring' | 'key.expired', key: ReadersKey): Promise<void> {
    await this.#note(kind, COMMENT[this.#locale], kind, {
      // Who used it last, and what stops.
      tells: [key.keyId, COMMENT[this.#locale], 'NuGet/6.12.2', '127.0.0.1', 'deploy:run site-1'],
      instants: [key.expiresAt, key.usedAt],
    });
  }

  /** The server has just disabled a webhook. */
  async loseWebhook(webhook: { readonly id: string; readonly host: string }): Promise<void> {
    await this.#note('webhook.disabled', webhook.host, 'webhook gone', {
      tells: [webhook.host, 'Chat <b>bot</b>', 'HTTP 410'],
      instants: [this.#harness.clock.now()],
      link: new RegExp(`^https://keys\\.example\\.com/webhooks/${webhook.id}$`),
    });
  }

  async #arrive(): Promise<string> {
    const { deps, clock, app } = this.#harness;
    const { name, email, timeZone } = READERS[this.#locale];
    const { account } = await deps.accounts.create(this.#admin, {
      kind: 'user',
      email,
      displayName: name,
      locale: this.#locale,
      timeZone,
      grants: [{ actions: ['package:*', 'deploy:run'], resources: ['*'] }],
    });
    const link = /^https:\/\/keys\.example\.com\/invitation#[0-9A-Za-z]{43}$/;
    await this.#note('account.invitation', name, 'invited', {
      tells: [name, WORDS[this.#locale].actor, URL_OF_WORKSPACE],
      instants: [clock.now(), clock.now() + 7 * DAY_MS],
      link,
    });
    const hash = await deps.passwords.hash(new Secret(PASSWORD), []);
    await inTransaction(deps.storage, (tx) => deps.accounts.savePasswordHash(tx, this.#admin, account, hash));
    for (const remoteAddress of ['192.0.2.10', '198.51.100.7']) {
      clock.advance(HOUR_MS);
      const headers = { host: 'keys.example.com', 'user-agent': FIREFOX };
      const payload = { email, password: PASSWORD };
      const request = { method: 'POST', url: '/v1/session', remoteAddress, headers, payload } as const;
      const answer = await app.inject(request);
      if (answer.statusCode !== 200) throw new Error(answer.body);
    }
    await this.#note('session.new_place', name, 'signed in elsewhere', {
      tells: [name, '198.51.100.7', 'Firefox, Linux'],
      instants: [clock.now()],
      link: /^https:\/\/keys\.example\.com\/profile$/,
    });
    clock.advance(HOUR_MS);
    await app.inject({
      method: 'POST',
      url: '/v1/password/request',
      remoteAddress: '203.0.113.5',
      headers: { host: 'keys.example.com' },
      payload: { email },
    });
    await this.#note('account.password_reset', name, 'password forgotten', {
      tells: [name, '203.0.113.5'],
      instants: [clock.now(), clock.now() + HOUR_MS],
      link: /^https:\/\/keys\.example\.com\/password-reset#[0-9A-Za-z]{43}$/,
    });
    // Its link lives for an hour, and a mail with an ended link is given up.
    await this.#everythingSent();
    return account.id;
  }

  async #make(accountId: string): Promise<{ readonly id: string }> {
    const { deps } = this.#harness;
    const minted = await deps.keys.create(this.#admin, accountId, {
      comment: COMMENT[this.#locale],
      access: 'scoped',
      scopes: [
        { actions: ['package:push'], resources: ['Hayama.*'] },
        { actions: ['deploy:run'], resources: ['site-1'] },
      ],
      lifetimeDays: LIFETIME_DAYS,
    });
    this.#keep(minted);
    await this.#noteKey('key.created', minted.key.id, {
      instants: [this.#harness.clock.now() + LIFETIME_DAYS * DAY_MS],
    });
    return minted.key;
  }

  async #change(keyId: string): Promise<void> {
    const { deps } = this.#harness;
    this.#harness.clock.advance(HOUR_MS);
    await deps.keys.update(this.#admin, keyId, { ipRanges: ['127.0.0.0/8', '192.0.2.0/24'] }, null);
    await this.#noteKey('key.changed', keyId, { tells: ['127.0.0.0/8, 192.0.2.0/24'] });
    this.#harness.clock.advance(HOUR_MS);
    await deps.keys.disable(this.#admin, keyId, 'Laptop <i>lost</i>');
    await this.#noteKey('key.disabled', keyId, { tells: ['Laptop <i>lost</i>'] });
    this.#harness.clock.advance(HOUR_MS);
    await deps.keys.enable(this.#admin, keyId);
    await this.#noteKey('key.enabled', keyId);
  }

  async #renew(keyId: string): Promise<{ readonly fullKey: string; readonly expiresAt: number }> {
    const { deps, clock } = this.#harness;
    clock.advance(DAY_MS);
    const minted = await deps.keys.regenerate(this.#admin, keyId, { overlapHours: 48 });
    this.#keep(minted);
    const expiresAt = clock.now() + LIFETIME_DAYS * DAY_MS;
    await this.#noteKey('key.regenerated', keyId, { instants: [expiresAt, clock.now() + 48 * HOUR_MS] });
    return { fullKey: minted.fullKey.reveal(), expiresAt };
  }

  async #deliver(accountId: string): Promise<void> {
    const { deps, clock } = this.#harness;
    const { name } = READERS[this.#locale];
    for (const keyMail of ['link', 'value'] as const) {
      clock.advance(HOUR_MS);
      await deps.settings.update(this.#admin, { keyMail }, null);
      const comment = `By ${keyMail}`;
      const wish = { comment, access: 'account', lifetimeDays: LONG_LIFETIME_DAYS, sendMail: true } as const;
      const minted = await deps.keys.create(this.#admin, accountId, wish);
      this.#keep(minted);
      const isLink = keyMail === 'link';
      await this.#note('key.delivery', name, `by ${keyMail}`, {
        tells: [name, minted.key.id, comment, WORDS[this.#locale].actor],
        instants: [clock.now(), clock.now() + LONG_LIFETIME_DAYS * DAY_MS],
        link: isLink ? /^https:\/\/keys\.example\.com\/key-link#[0-9A-Za-z]{43}$/ : null,
        ...(isLink ? {} : { secretKey: minted.secretKey.reveal() }),
      });
      if (!isLink) continue;
      clock.advance(HOUR_MS);
      await deps.keys.remove(this.#admin, minted.key.id);
      await this.#note('key.deleted', comment, 'deleted', {
        tells: [minted.key.id, comment, WORDS[this.#locale].actor],
        instants: [clock.now()],
      });
    }
  }

  /** A colleague asks the reader to own a package with him, and an administrator makes him an owner. */
  async #share(accountId: string): Promise<void> {
    const { deps, clock, app } = this.#harness;
    const id = `HayamaShared_${this.#locale}`;
    const { account } = await deps.accounts.create(this.#admin, {
      kind: 'user',
      email: `linus.${this.#locale}@example.com`,
      displayName: 'Linus',
      passwordHash: 'none',
    });
    const colleague = await this.#harness.callerOf(account);
    const key = await deps.keys.create(colleague, account.id, { comment: 'push', access: 'account' });
    const headers = { host: 'keys.example.com', 'x-nuget-apikey': key.fullKey.reveal() };
    const payload = Buffer.from(buildNupkg({ id, version: '1.0.0' }));
    const answer = await app.inject({ method: 'PUT', url: '/api/v2/package', headers, payload });
    if (answer.statusCode !== 201) throw new Error(`${answer.statusCode}: ${answer.body}`);
    const link = new RegExp(`^https://keys\\.example\\.com/packages/${id.toLowerCase()}$`);
    const { name } = READERS[this.#locale];
    await deps.packages.addOwner(colleague, id, accountId);
    await this.#note('package.owner_requested', id, 'asked to own a package', {
      tells: [id, name, 'Linus'],
      instants: [clock.now(), clock.now() + 30 * DAY_MS],
      link,
    });
    clock.advance(HOUR_MS);
    await deps.packages.addOwner(this.#admin, id, accountId);
    await this.#note('package.owners_changed', id, 'made an owner', {
      tells: [id, name, 'Grace Hopper'],
      instants: [clock.now()],
      link,
    });
  }

  async #refuse(keyId: string, { fullKey, expiresAt }: { fullKey: string; expiresAt: number }) {
    const { deps, clock } = this.#harness;
    for (let count = 0; count < 21; count += 1) await this.#ask(fullKey, 'Other.Package', 403);
    await deps.refusalNotices.run();
    await this.#note('key.refused', COMMENT[this.#locale], 'refused', {
      tells: [keyId, COMMENT[this.#locale], '21', '127.0.0.1', 'NuGet/6.12.2'],
      instants: [expiresAt, clock.now()],
    });
  }

  async #ask(fullKey: string, resource: string, status: number): Promise<void> {
    const url = `/v1/authorize?action=package:push&resource=${resource}`;
    const answer = await call(this.#harness, 'GET', url, {
      key: fullKey,
      headers: { host: 'keys.example.com', 'user-agent': 'NuGet/6.12.2' },
    });
    if (answer.statusCode !== status) throw new Error(`${answer.statusCode}: ${answer.body}`);
  }

  #keep(minted: { readonly secretKey: Secret }): void {
    this.secrets.push(minted.secretKey.reveal());
  }

  async #noteKey(kind: NoticeKind & `key.${string}`, keyId: string, cause: Cause = {}): Promise<void> {
    const { actor } = WORDS[this.#locale];
    await this.#note(kind, COMMENT[this.#locale], kind, {
      ...cause,
      tells: [keyId, COMMENT[this.#locale], READERS[this.#locale].name, actor, ...(cause.tells ?? [])],
      instants: [this.#harness.clock.now(), ...(cause.instants ?? [])],
    });
  }

  /** The mail that was just written; exactly one of its kind. */
  async #note(kind: NoticeKind, about: string, name: string, cause: Cause): Promise<void> {
    const address = READERS[this.#locale].email;
    const rows = await this.#harness.deps.storage.read
      .selectFrom('outbox')
      .select(['id', 'message_id'])
      .where('kind', '=', kind)
      .where('to_address', '=', address)
      .execute();
    const [fresh, ...others] = rows.filter((row) => !this.#seen.has(row.id));
    if (fresh === undefined || others.length > 0)
      throw new Error(
        `${name}: ${fresh === undefined ? 'no mail' : 'more than one mail'} of the kind ${kind}`,
      );
    this.#seen.add(fresh.id);
    const { tells = [], instants = [], secretKey = null } = cause;
    const link = cause.link === undefined ? /^https:\/\/keys\.example\.com\/my-keys$/ : cause.link;
    this.expected.push({
      name,
      kind,
      locale: this.#locale,
      messageId: fresh.message_id,
      address,
      subject: WORDS[this.#locale].subjects[kind](about),
      tells: [...tells, URL_OF_WORKSPACE],
      instants,
      link,
      secretKey,
    });
  }
}
