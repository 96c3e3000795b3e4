import { describe, expect, it } from 'vitest';
import { type Locale, NOTICE_KINDS, type Notice } from '../../../jobs/index.ts';
import { formatInstant, plainLine, quoted, shortName } from './blocks.ts';
import { renderMail, renderSubject, toLocale } from './render.ts';
import {
  SAMPLE_AT,
  SAMPLE_DELIVERY,
  SAMPLE_EXPIRES_AT,
  SAMPLE_SECRET_KEY,
  SAMPLE_STOP,
  SAMPLE_WORKSPACE_URL,
  SAMPLES,
} from './samples.ts';
import type { MailContext } from './words.ts';

const CONTEXT: MailContext = {
  toName: 'Ada Lovelace',
  about: 'Ada Lovelace',
  timeZone: null,
  mailTexts: [],
  workspaceUrl: SAMPLE_WORKSPACE_URL,
  supportEmail: 'help@example.com',
  supportUrl: 'https://example.com/help?a=1&b=2',
};

const NOTICES = SAMPLES.map(({ notice }) => notice);
const LOCALES: readonly Locale[] = ['en', 'ja'];
const CASES = SAMPLES.flatMap((sample) => LOCALES.map((locale) => ({ ...sample, locale })));

describe('the words of a mail', () => {
  it('have a sample for every kind of notice', () => {
    expect([...new Set(NOTICES.map(({ kind }) => kind))].toSorted()).toEqual(NOTICE_KINDS.toSorted());
  });

  it('deliver a key by link, in English', () => {
    const mail = renderMail({ kind: 'key.delivery', payload: SAMPLE_DELIVERY }, 'en', {
      ...CONTEXT,
      toName: 'Build bot',
      about: 'Build bot',
    });
    expect(mail.subject).toBe('[Keyreeve] API key for Build bot');
    expect(mail.text).toBe(`This is the API key for the account “Build bot”.

  Account: Build bot
  API key: kr_0123456789ABCDEF
  Comment: CI: publish & unlist
  Works until: 2028-02-29 23:59 UTC
  By: Grace Hopper, from 192.0.2.7
  At: 2027-03-08 09:00 UTC

Open the page below and press the button “Show the key” once. It shows the API key and the secret key.

Open the page:
https://keys.example.com/key-link#tokenOfTheLink

The button works only once; the link is valid until 2027-03-08 09:00 UTC. Just opening the page does not use it up.

If the link has been used and it was not you, somebody else may have the key: have it deleted or regenerated at once.

If you did not expect this key, tell your administrator.

This mail was sent by Keyreeve at https://keys.example.com.

Questions? Support: help@example.com or https://example.com/help?a=1&b=2
`);
  });

  it('deliver a key by value, in Japanese', () => {
    const payload = {
      ...SAMPLE_DELIVERY,
      expiresAt: null,
      linkUrl: null,
      linkExpiresAt: null,
      secretKey: SAMPLE_SECRET_KEY,
    };
    const mail = renderMail({ kind: 'key.delivery', payload }, 'ja', {
      ...CONTEXT,
      toName: 'Build bot',
      about: 'Build bot',
      supportUrl: null,
    });
    expect(mail.subject).toBe('[Keyreeve] 「Build bot」のAPIキーのお知らせ');
    expect(mail.text).toBe(`アカウント「Build bot」のAPIキーをお知らせします。

  アカウント：Build bot
  APIキー：kr_0123456789ABCDEF
  シークレットキー：${SAMPLE_SECRET_KEY}
  コメント：CI: publish & unlist
  有効期限：期限なし
  操作者：Grace Hopper（192.0.2.7から）
  日時：2027年3月8日 09:00（UTC）

APIキーとシークレットキーは組み合わせて使います。シークレットキーを再度表示することはできません。

シークレットキーはパスワードと同じように大切に扱ってください。シークレットマネージャーなどに保存したあと、このメールを削除することをおすすめします。

このキーにお心当たりがない場合は、使用せずに管理者へご連絡ください。

このメールはKeyreeve（https://keys.example.com）から自動で送信しています。

お問い合わせ先：help@example.com
`);
  });

  it.each(CASES)(
    'say when the link ends, in UTC, and where it leads: $name, $locale',
    ({ notice, locale }) => {
      const { linkUrl, linkExpiresAt } = { linkUrl: null, linkExpiresAt: null, ...notice.payload };
      const mail = renderMail(notice, locale, CONTEXT);
      for (const body of [mail.text, mail.html]) {
        if (linkUrl !== null) expect(body).toContain(linkUrl);
        if (linkExpiresAt !== null) expect(body).toContain(formatInstant(linkExpiresAt, locale, null));
      }
      if (linkUrl !== null) expect(mail.html).toContain(`<a href="${linkUrl}"`);
    },
  );

  it.each(CASES)(
    'name the support of the workspace, or else the administrator: $name, $locale',
    ({ notice, locale }) => {
      const mail = renderMail(notice, locale, CONTEXT);
      expect(mail.text).toContain('help@example.com');
      expect(mail.html).toContain('https://example.com/help?a=1&#38;b=2');
      const without = renderMail(notice, locale, { ...CONTEXT, supportEmail: null, supportUrl: null });
      expect(without.text.trimEnd().split('\n').at(-1)).toBe(
        locale === 'en'
          ? 'Questions? Ask your administrator.'
          : 'ご不明な点は管理者までお問い合わせください。',
      );
    },
  );

  it.each(CASES)('load nothing from elsewhere and run nothing: $name, $locale', ({ notice, locale }) => {
    const { html } = renderMail(notice, locale, CONTEXT);
    expect(html).not.toMatch(
      /<(?:img|script|link|iframe|object|form|input|svg|base)\b|url\(|@import|\bsrc=|\bon\w+=/i,
    );
    expect(html).toContain(`<html lang="${locale}">`);
  });

  it('can be a workspace’s own: subject and opening, and never what the reader must know', () => {
    const notice = { kind: 'key.expiring', payload: SAMPLE_STOP } as const;
    const own = {
      kind: 'key.expiring',
      locale: 'ja',
      subject: '【社内】{name} の更新',
      intro: '{name} を更新してください。\n\n<b>手順</b>は社内Wikiにあります。',
    } as const;
    const about = 'CI $& <i>';
    const mail = renderMail(notice, 'ja', { ...CONTEXT, about, mailTexts: [own] });
    expect(mail.subject).toBe('【社内】CI $& <i> の更新');
    expect(mail.text).toMatch(/^CI \$& <i> を更新してください。\n\n<b>手順<\/b>は社内Wikiにあります。\n\n/);
    expect(mail.text).toContain('Hayama.Core');
    expect(mail.html).not.toContain('<b>');
    expect(renderMail(notice, 'en', { ...CONTEXT, mailTexts: [own] }).subject).toBe(
      '[Keyreeve] API key “Ada Lovelace” is about to expire',
    );
    const subjectOnly = renderMail(notice, 'ja', { ...CONTEXT, mailTexts: [{ ...own, intro: null }] });
    expect(subjectOnly.text).toContain('使えなくなります。');
  });

  it.each(LOCALES)(
    'ask for nothing that is not possible any more, and promise nothing untrue: %s',
    (locale) => {
      const textOf = (name: string) => {
        const sample = SAMPLES.find((each) => each.name === name);
        if (sample === undefined) throw new Error(`There is no sample ${name}.`);
        return renderMail(sample.notice, locale, CONTEXT).text;
      };
      const disableIt = locale === 'en' ? 'disable the key' : 'キーを停止し';
      const enableIt = locale === 'en' ? 'It can be enabled again' : '再開すること';
      const until = locale === 'en' ? 'Works until' : '有効期限';
      expect(textOf('key.created')).toContain(disableIt);
      expect(textOf('key.disabled, by a person')).not.toContain(disableIt);
      expect(textOf('key.disabled, by a person')).toContain(enableIt);
      // Whoever revokes a key takes its secret for good; enabling brings nothing back.
      expect(textOf('key.disabled, revoked')).not.toContain(enableIt);
      expect(textOf('key.disabled, revoked')).toContain(locale === 'en' ? 'Regenerate' : '再生成');
      expect(textOf('key.deleted')).not.toContain(disableIt);
      expect(textOf('key.deleted')).not.toContain(until);
      expect(textOf('key.expired')).not.toContain('Works until');
      expect(textOf('key.expired')).not.toContain('できなくなります');
      // What to do about it.
      expect(textOf('key.refused')).toContain(locale === 'en' ? 'regenerate it' : '再生成');
    },
  );

  it.each(LOCALES)('say by whom, from where and when a key was made that goes by mail: %s', (locale) => {
    const change = { kind: 'regenerated', at: SAMPLE_AT, oldWorksUntil: null } as const;
    const actor = { name: 'Grace Hopper', ip: '192.0.2.7' };
    const payload = { ...SAMPLE_DELIVERY, change: { ...change, actor } };
    const { text } = renderMail({ kind: 'key.delivery', payload }, locale, CONTEXT);
    for (const part of ['Grace Hopper', '192.0.2.7', formatInstant(SAMPLE_AT, locale, null)])
      expect(text).toContain(part);
    // It is told in no other mail to this reader.
    expect(text).toContain(locale === 'en' ? 'The old secret key stopped' : '以前のシークレットキーはすでに');
    const made = renderMail(
      { kind: 'key.delivery', payload: { ...payload, change: { ...payload.change, kind: 'created' } } },
      locale,
      CONTEXT,
    );
    expect(made.text).not.toContain(locale === 'en' ? 'old secret' : '以前の');
  });

  it.each(LOCALES)('say who invites, and from where and when a password was asked for: %s', (locale) => {
    const payload = {
      accountName: 'Ada',
      linkUrl: `${SAMPLE_WORKSPACE_URL}/invitation#t`,
      linkExpiresAt: SAMPLE_EXPIRES_AT,
      request: { at: SAMPLE_AT, actor: { name: 'Grace Hopper', ip: '192.0.2.7' } },
    };
    for (const kind of ['account.invitation', 'account.password_reset'] as const) {
      const { text } = renderMail({ kind, payload }, locale, CONTEXT);
      for (const part of ['Grace Hopper', '192.0.2.7', formatInstant(SAMPLE_AT, locale, null)])
        expect(text).toContain(part);
    }
  });

  it.each(CASES)('can be read in the dark: $name, $locale', ({ notice, locale }) => {
    const { html } = renderMail(notice, locale, CONTEXT);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toMatch(/@media \(prefers-color-scheme: ?dark\)/);
    // Each colour for the light is one that the dark puts another in the place of.
    for (const tag of html.match(/<[a-z]+ [^>]*\bstyle="[^"]*(?:color|background):[^>]*>/g) ?? [])
      expect(tag).toMatch(/ class="/);
  });

  it('show an instant with its zone', () => {
    expect(formatInstant(SAMPLE_EXPIRES_AT, 'en', null)).toBe('2028-02-29 23:59 UTC');
    expect(formatInstant(SAMPLE_EXPIRES_AT, 'ja', 'UTC')).toBe('2028年2月29日 23:59（UTC）');
    expect(formatInstant(SAMPLE_EXPIRES_AT, 'en', 'Asia/Tokyo')).toBe(
      '2028-03-01 08:59 Asia/Tokyo (2028-02-29 23:59 UTC)',
    );
    expect(formatInstant(SAMPLE_EXPIRES_AT, 'ja', 'Asia/Tokyo')).toBe(
      '2028年3月1日 08:59（Asia/Tokyo）／2028年2月29日 23:59（UTC）',
    );
  });

  it('are English for a language that we do not have', () => {
    expect(toLocale('fr')).toBe('en');
    expect(toLocale('ja')).toBe('ja');
  });

  it('do not exist for a kind that a newer release wrote; its subject stays readable', () => {
    const unknown = { kind: 'key.from_the_future', payload: {} } as unknown as Notice;
    expect(() => renderMail(unknown, 'en', CONTEXT)).toThrow(/no template/);
    expect(renderSubject('key.from_the_future', 'ja', 'Ada', [])).toBe('[Keyreeve]');
    expect(renderSubject('constructor', 'en', 'Ada', [])).toBe('[Keyreeve]');
  });
});

describe('hostile names', () => {
  const HOSTILE = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    `Ada' onmouseover='alert(1)`,
    'Ada\r\nBcc: eve@evil.test\r\n\r\n<b>body</b>',
    'Ada\u2028Bcc: eve@evil.test',
    'Ada\u202e\u2066moc.live\u2069',
    'Ada\u0000\u001b[31m',
    'Ada \ud800',
  ];
  const HTML_TAGS =
    /<\/?(?:!doctype|html|head|meta|title|body|div|p|style|table|tr|th|td|ul|li|code|bdi|a)\b[^<>]*>/g;

  it.each(HOSTILE)('stay text: %j', (name) => {
    for (const locale of LOCALES) {
      for (const notice of NOTICES) {
        const written = ['accountName', 'comment', 'description', 'host'].filter(
          (field) => field in notice.payload,
        );
        expect(written).not.toEqual([]);
        const hostile = {
          ...notice,
          payload: { ...notice.payload, ...Object.fromEntries(written.map((field) => [field, name])) },
        } as Notice;
        const mail = renderMail(hostile, locale, { ...CONTEXT, toName: name, about: name });
        const benign = renderMail(notice, locale, CONTEXT);
        // The same tags as without the hostile name, and nothing that looks like one beside them.
        expect(mail.html.match(HTML_TAGS)).toEqual(benign.html.match(HTML_TAGS));
        expect(mail.html.replace(HTML_TAGS, '')).not.toMatch(/[<>]/);
        // One line each: a name cannot add lines that look like ours.
        expect(mail.text.split('\n')).toHaveLength(benign.text.split('\n').length);
        for (const part of [mail.subject, mail.text.replaceAll('\n', ''), mail.html.replaceAll('\n', '')]) {
          expect(part).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
          expect(part.isWellFormed()).toBe(true);
        }
      }
    }
  });

  it.each(LOCALES)('never become links of a program that makes links of addresses: %s', (locale) => {
    const name = 'https://evil.test/a www.evil.test evil.com ada@evil.test http://[::1]/';
    const intro = { locale, subject: null, intro: 'About {name}.' } as const;
    for (const notice of NOTICES) {
      const parts = ['comment', 'reason', 'description'].filter((part) => part in notice.payload);
      const hostile = {
        ...notice,
        payload: {
          ...notice.payload,
          accountName: name,
          ...Object.fromEntries(parts.map((part) => [part, name])),
          ...('actor' in notice.payload ? { actor: { name, ip: '192.0.2.7' } } : {}),
          ...('lastUse' in notice.payload ? { lastUse: { at: 0, ip: null, userAgent: name } } : {}),
          ...('lastRefusal' in notice.payload ? { lastRefusal: { at: 0, ip: null, userAgent: name } } : {}),
        },
      } as Notice;
      for (const mailTexts of [[], [{ kind: notice.kind, ...intro }]]) {
        const context = { ...CONTEXT, toName: name, about: name, mailTexts };
        const mail = renderMail(hostile, locale, context);
        for (const body of [mail.text, mail.html.replace(/<title>.*<\/title>/, '')])
          expect(body).not.toMatch(/https?:\/\/(?:evil|\[)|www\.evil|evil\.(?:com|test)|@evil/);
        // The name is still there for the reader.
        expect(mail.text.replaceAll('\u2060', '')).toContain(
          notice.kind === 'session.new_place' ? '' : 'evil.com',
        );
      }
    }
  });

  it('are quoted so that only what looks like an address is touched', () => {
    expect(quoted('CI: publish & unlist, v6.12.2 from 192.0.2.7')).toBe(
      'CI: publish & unlist, v6.12.2 from 192.0.2.7',
    );
    expect(quoted('https://evil.test')).toBe('https:\u2060//evil.\u2060test');
    expect(quoted('山田　太郎')).toBe('山田 太郎');
  });

  it('lose line ends and marks that turn the direction of text, and keep what people write', () => {
    expect(plainLine('  Ada\r\n\tLovelace\u00a0\u200e ')).toBe('Ada Lovelace');
    expect(plainLine('\u202egnp.exe\u202c')).toBe('gnp.exe');
    expect(plainLine('山田　太郎')).toBe('山田 太郎');
    expect(plainLine('نرم\u200cافزار')).toBe('نرم\u200cافزار');
    expect(plainLine('👩\u200d💻 Zoë')).toBe('👩\u200d💻 Zoë');
  });

  it('are cut in subjects, between two whole characters', () => {
    expect(shortName('x'.repeat(60))).toHaveLength(60);
    expect(shortName('x'.repeat(61))).toBe(`${'x'.repeat(59)}…`);
    expect(shortName('👩\u200d💻'.repeat(100))).toBe(`${'👩\u200d💻'.repeat(59)}…`);
  });
});
