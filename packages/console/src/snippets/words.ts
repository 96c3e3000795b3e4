import type { Locale } from '../format/locale.ts';
import type { SnippetWords } from './parts.ts';

// No quotes and brackets: an interactive zsh reads a pasted comment line as a command.
export const SNIPPET_WORDS: Readonly<Record<Locale, SnippetWords>> = {
  en: {
    exchange: 'exchange the key for a short-lived token',
    environment: 'KEYREEVE_API_KEY and KEYREEVE_SECRET_KEY hold API key and secret key',
    push: 'push a package',
    register: 'once: make the gallery known',
    publish: 'publish a module',
    storeSecret: 'once: store the full key with  gh secret set KEYREEVE_API_KEY',
    gateway: 'ask Keyreeve before each request',
    gatewayAction: 'add ?action=service:verb to ask for a right as well',
  },
  ja: {
    exchange: 'キーを短期間のトークンと交換',
    environment: 'KEYREEVE_API_KEY にAPIキー、KEYREEVE_SECRET_KEY にシークレットキーを設定',
    push: 'パッケージをプッシュ',
    register: '最初に一度だけ：ギャラリーを登録',
    publish: 'モジュールを公開',
    storeSecret: '最初に一度だけ：gh secret set KEYREEVE_API_KEY で連結キーを保存',
    gateway: 'リクエストのたびにKeyreeveに確認',
    gatewayAction: '権限も確認するには ?action=service:verb を付ける',
  },
};
