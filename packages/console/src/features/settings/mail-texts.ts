import type { Settings } from '@keyreeve/sdk';
import type { NoticeKind } from '../../ui/notice-texts.ts';

export type MailTexts = Settings['mailTexts'];
export type MailText = MailTexts[number];

/** Which mail is meant: each kind has words in each language. */
export interface MailName {
  readonly kind: NoticeKind;
  readonly locale: MailText['locale'];
}

export const SUBJECT_CHARACTERS_MAX = 200;
export const INTRO_CHARACTERS_MAX = 2_000;

function isOf(text: MailText, { kind, locale }: MailName): boolean {
  return text.kind === kind && text.locale === locale;
}

export function findMailText(texts: MailTexts, name: MailName): MailText | null {
  return texts.find((text) => isOf(text, name)) ?? null;
}

export function withoutMailText(texts: MailTexts, name: MailName): MailTexts {
  return texts.filter((text) => !isOf(text, name));
}

/** Sets a part of the words of a mail. A part that is empty has the usual words; a mail with none of its own goes. */
export function withMailText(
  texts: MailTexts,
  { kind, locale }: MailName,
  part: { readonly subject?: string; readonly intro?: string },
): MailTexts {
  const before = findMailText(texts, { kind, locale });
  const orNull = (text: string | undefined, usual: string | null | undefined) =>
    text === undefined ? (usual ?? null) : text === '' ? null : text;
  const subject = orNull(part.subject, before?.subject);
  const intro = orNull(part.intro, before?.intro);
  if (subject === null && intro === null) return withoutMailText(texts, { kind, locale });
  const next = { kind, locale, subject, intro };
  return before === null ? [...texts, next] : texts.map((text) => (text === before ? next : text));
}

/** What a subject becomes; the name is filled in by the server, as here. */
export function fillName(text: string, name: string): string {
  return text.replaceAll('{name}', () => name);
}
