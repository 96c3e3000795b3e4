import type { Locale } from '../format/locale.ts';
import { nginxSnippet } from './gateway-snippets.ts';
import { curlSnippet, javascriptSnippet, pythonSnippet } from './login-snippets.ts';
import type { SecretName, SnippetContext, SnippetPart } from './parts.ts';
import { githubSnippet, nugetSnippet, psresourceSnippet } from './push-snippets.ts';
import { toHarmlessAddress } from './quoting.ts';
import { SNIPPET_WORDS } from './words.ts';

export type { SecretName, SnippetPart } from './parts.ts';

/** In the order of the tabs. */
export const SNIPPET_KINDS = [
  'curl',
  'python',
  'javascript',
  'nuget',
  'psresource',
  'github',
  'nginx',
] as const;
export type SnippetKind = (typeof SNIPPET_KINDS)[number];

const BUILDERS: Readonly<Record<SnippetKind, (context: SnippetContext) => readonly SnippetPart[]>> = {
  curl: curlSnippet,
  python: pythonSnippet,
  javascript: javascriptSnippet,
  nuget: nugetSnippet,
  psresource: psresourceSnippet,
  github: githubSnippet,
  nginx: nginxSnippet,
};

export interface SnippetOptions {
  /** Address of the workspace. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** `environment`: API key and secret key come from KEYREEVE_API_KEY and KEYREEVE_SECRET_KEY. */
  readonly mode: 'values' | 'environment';
  /** Language of the comments; English without one. */
  readonly locale?: Locale;
}

/** A snippet that runs as it is. Where a secret belongs stands a part that only names it. */
export function buildSnippet(kind: SnippetKind, options: SnippetOptions): readonly SnippetPart[] {
  return BUILDERS[kind]({
    url: toHarmlessAddress(options.baseUrl),
    apiKey: options.apiKey,
    isFromEnvironment: options.mode === 'environment',
    words: SNIPPET_WORDS[options.locale ?? 'en'],
  });
}

/**
 * The text for the clipboard.
 *
 * @throws TypeError when a secret has characters that would need quoting, which none of ours has; without the value
 */
export function renderSnippet(
  parts: readonly SnippetPart[],
  secrets: Readonly<Record<SecretName, string>>,
): string {
  return parts
    .map((part) => {
      if ('text' in part) return part.text;
      const value = secrets[part.secret];
      if (!/^\w+$/.test(value)) throw new TypeError(`${part.secret} is not a secret of this server.`);
      return value;
    })
    .join('');
}
