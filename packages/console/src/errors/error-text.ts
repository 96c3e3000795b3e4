/** One error in words: `title` says what happened, `remedy` what to do. Both are whole sentences. */
export interface ErrorText {
  readonly title: string;
  readonly remedy: string;
}

/** The same codes in the other language: a missing or a superfluous one is a type error. */
export type TranslationOf<Texts> = { readonly [Code in keyof Texts]: ErrorText };
