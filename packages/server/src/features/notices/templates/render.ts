import type { Locale, Notice, NoticeKind } from '../../../jobs/index.ts';
import { type Block, plainLine, shortName, toHtml, toText } from './blocks.ts';
import { EN } from './words.en.ts';
import { JA } from './words.ja.ts';
import type { MailContext, MailWords } from './words.ts';

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

/** The subject needs no payload, so lists can show it for mails whose payload is wiped. */
export function renderSubject(kind: string, locale: Locale, toName: string): string {
  return isKnownKind(kind) ? WORDS[locale].subjects[kind](shortName(toName)) : '[Keyreeve]';
}

function renderBody(words: MailWords, notice: Notice, context: MailContext): readonly Block[] {
  // The kind and the payload of a notice belong together, which the compiler loses by looking up the words.
  const body = words.bodies[notice.kind] as (payload: unknown, context: MailContext) => readonly Block[];
  return body(notice.payload, context);
}

/**
 * A notice in words: subject, text and HTML.
 *
 * @throws Error for a kind that this release does not know (a newer one wrote it)
 */
export function renderMail(notice: Notice, locale: Locale, context: MailContext): RenderedMail {
  if (!isKnownKind(notice.kind)) throw new Error(`There is no template for ${plainLine(notice.kind)}.`);
  const words = WORDS[locale];
  const subject = renderSubject(notice.kind, locale, context.toName);
  const blocks = [...renderBody(words, notice, context), ...words.footer(context)];
  return { subject, text: toText(blocks), html: toHtml(blocks, locale, subject) };
}
