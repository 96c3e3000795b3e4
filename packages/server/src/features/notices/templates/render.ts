import type { Locale, Notice, NoticeKind } from '../../../jobs/index.ts';
import {
  type Block,
  formatInstant,
  paragraph,
  plainLine,
  quoted,
  shortName,
  toHtml,
  toText,
} from './blocks.ts';
import { EN } from './words.en.ts';
import { JA } from './words.ja.ts';
import type { MailBody, MailContext, MailText, MailWords, Telling } from './words.ts';

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const WORDS: Readonly<Record<Locale, MailWords>> = { en: EN, ja: JA };

export function toLocale(text: string): Locale {
  return text === 'ja' ? 'ja' : 'en';
}

function isKnownKind(kind: string): kind is NoticeKind {
  return Object.hasOwn(EN.subjects, kind);
}

function findText(texts: readonly MailText[], kind: string, locale: Locale): MailText | undefined {
  return texts.find((text) => text.kind === kind && text.locale === locale);
}

function fillName(text: string, name: string): string {
  return text.replaceAll('{name}', () => name);
}

/** The subject needs no payload, so lists can show it for mails whose payload is wiped. */
export function renderSubject(
  kind: string,
  locale: Locale,
  about: string,
  texts: readonly MailText[],
): string {
  if (!isKnownKind(kind)) return '[Keyreeve]';
  const own = findText(texts, kind, locale)?.subject ?? null;
  const name = shortName(about);
  return own === null ? WORDS[locale].subjects[kind](name) : plainLine(fillName(own, name));
}

function renderBody(words: MailWords, notice: Notice, telling: Telling): MailBody {
  // The kind and the payload of a notice belong together, which the compiler loses by looking up the words.
  const body = words.bodies[notice.kind] as (payload: unknown, telling: Telling) => MailBody;
  return body(notice.payload, telling);
}

function openingOf(body: MailBody, intro: string | null, about: string): readonly Block[] {
  if (intro === null) return body.opening;
  return intro
    .split(/\n\s*\n/)
    .map((text) => paragraph(fillName(plainLine(text), quoted(shortName(about)))))
    .filter((block) => block.kind !== 'paragraph' || block.text !== '');
}

/**
 * A notice in words: subject, text and HTML.
 *
 * @throws Error for a kind that this release does not know (a newer one wrote it)
 */
export function renderMail(notice: Notice, locale: Locale, context: MailContext): RenderedMail {
  if (!isKnownKind(notice.kind)) throw new Error(`There is no template for ${plainLine(notice.kind)}.`);
  const words = WORDS[locale];
  const { about, mailTexts, timeZone } = context;
  const subject = renderSubject(notice.kind, locale, about, mailTexts);
  const telling = { ...context, at: (ms: number) => formatInstant(ms, locale, timeZone) };
  const body = renderBody(words, notice, telling);
  const intro = findText(mailTexts, notice.kind, locale)?.intro ?? null;
  const blocks = [...openingOf(body, intro, about), ...body.details];
  const footer = words.footer(context);
  return {
    subject,
    text: toText([...blocks, ...footer], locale),
    html: toHtml(blocks, footer, { locale, subject }),
  };
}
