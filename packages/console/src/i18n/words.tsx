import i18next from 'i18next';
import type { ReactElement } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { currentLanguage, type Language } from './i18n.ts';

type English = Readonly<Record<string, string>>;
/** Japanese has no singular: of a pair `x_one`, `x_other` only the second is asked for. */
type JapaneseOf<En extends English> = { readonly [K in Exclude<keyof En, `${string}_one`>]: string };
type KeyOf<En extends English> = {
  [K in keyof En & string]: K extends `${infer Base}_one` | `${infer Base}_other` ? Base : K;
}[keyof En & string];

export interface Words<Key extends string> {
  readonly namespace: string;
  /** Never set; carries the names of the words for the type checker. */
  readonly keys?: Key;
}

/**
 * The words of one feature in both languages. `{{name}}` stands for a value; `x_one` and `x_other` are one word
 * that counts (`count`). A missing Japanese word is a type error.
 */
export function defineWords<const En extends English>(
  namespace: string,
  en: En,
  ja: JapaneseOf<En>,
): Words<KeyOf<En>> {
  i18next.addResourceBundle('en', namespace, en);
  i18next.addResourceBundle('ja', namespace, ja);
  return { namespace };
}

type Values = Readonly<Record<string, string | number>>;

export interface Speech<Key extends string> {
  readonly t: (key: Key, values?: Values) => string;
  readonly language: Language;
}

/** The library types its keys by a global list; ours are checked by `Words` before they come here. */
type LooseTranslate = (key: string, values: Record<string, string | number>) => string;

/** `t` of a feature's words, and the language that is spoken now; the component follows a switch. */
export function useWords<Key extends string>(words: Words<Key>): Speech<Key> {
  const { t } = useTranslation(words.namespace);
  const translate = t as unknown as LooseTranslate;
  return { t: (key, values) => translate(key, { ...values }), language: currentLanguage() };
}

/** Outside components, for instance in messages: the words in the language of this moment. */
export function say<Key extends string>(words: Words<Key>, key: Key, values?: Values): string {
  return (i18next.t as unknown as LooseTranslate)(key, { ns: words.namespace, ...values });
}

/**
 * A word with marked-up parts: `"May <b>push</b> until <b>{{date}}</b>"` with `parts={{ b: <b /> }}`. Values are
 * text wherever they stand; a name with `<script>` in it is drawn as those characters.
 */
export function Rich<Key extends string>(props: {
  readonly words: Words<Key>;
  readonly k: Key;
  readonly values?: Values;
  readonly parts: Readonly<Record<string, ReactElement>>;
}) {
  useTranslation(props.words.namespace);
  return (
    <Trans
      ns={props.words.namespace}
      i18nKey={props.k}
      values={props.values ?? {}}
      components={props.parts}
      // A value is escaped before the tags are read and unescaped after: `<b>` in a name stays text.
      tOptions={{ interpolation: { escapeValue: true } }}
      shouldUnescape
    />
  );
}
