/** Which secret stands in a place that is never drawn. */
export type SecretName = 'secretKey' | 'fullKey';
export type SnippetTone = 'comment' | 'command' | 'string' | 'plain';

/** A piece of a snippet: text as it is drawn and copied, or the place of a secret, which only the clipboard gets. */
export type SnippetPart =
  | { readonly text: string; readonly tone: SnippetTone }
  | { readonly secret: SecretName };

export const comment = (text: string): SnippetPart => ({ text, tone: 'comment' });
export const command = (text: string): SnippetPart => ({ text, tone: 'command' });
export const literal = (text: string): SnippetPart => ({ text, tone: 'string' });
export const plain = (text: string): SnippetPart => ({ text, tone: 'plain' });
export const secret = (name: SecretName): SnippetPart => ({ secret: name });

/** What a snippet is made for. */
export interface SnippetContext {
  /** Address of the workspace in characters that mean nothing to any shell or language, without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  /** Values in the text, or variables of the environment. */
  readonly isFromEnvironment: boolean;
  readonly words: SnippetWords;
}

/** The comments in the snippets. */
export interface SnippetWords {
  readonly exchange: string;
  readonly environment: string;
  readonly push: string;
  readonly register: string;
  readonly publish: string;
  readonly storeSecret: string;
  readonly gateway: string;
  readonly gatewayAction: string;
}

/** Comment lines for a language whose comments begin with `mark`; which variables to set, when there are some. */
export function heading(
  { isFromEnvironment, words }: SnippetContext,
  mark: string,
  about: string,
): SnippetPart {
  const lines = isFromEnvironment ? [about, words.environment] : [about];
  return comment(lines.map((line) => `${mark} ${line}\n`).join(''));
}
