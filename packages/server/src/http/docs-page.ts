import type { Locale } from '../lib/accept-language.ts';

/** The frame of the reference. What Swagger UI itself says is English in both. */
const WORDS = {
  en: {
    title: 'API reference',
    nav: 'Documentation',
    console: 'Console',
    endpoints: 'All endpoints',
    errors: 'Error codes',
    note: 'Every call on this page goes to this server and is real. Authorize sends the key that you enter with each of them; it is forgotten when you leave the page. Without a key, your session of the console counts.',
    needsScript: 'This page needs JavaScript. Without it, read',
    loading: 'Loading the reference …',
    failed: 'The reference could not be loaded. Reload the page.',
  },
  ja: {
    title: 'APIリファレンス',
    nav: 'ドキュメント',
    console: 'コンソール',
    endpoints: 'エンドポイント一覧',
    errors: 'エラーコード',
    note: 'このページからの呼び出しは、すべてこのサーバーに対して実際に行われます。「Authorize」に入力したキーは呼び出しのたびに送信され、ページを離れると消去されます。キーを入力しない場合は、コンソールのセッションが使われます。リファレンス本文は英語です。',
    needsScript: 'このページの表示にはJavaScriptが必要です。代わりにこちらをご覧ください：',
    loading: 'リファレンスを読み込んでいます…',
    failed: 'リファレンスを読み込めませんでした。ページを再読み込みしてください。',
  },
} as const satisfies Record<Locale, Record<string, string>>;

/** Addresses of what the page loads. */
export interface ReferenceAssets {
  readonly libraryStyle: string;
  readonly style: string;
  readonly library: string;
  readonly script: string;
}

/** The page behind `/docs`. It holds no data: its script reads `/openapi.json`. */
export function renderReference(locale: Locale, assets: ReferenceAssets): string {
  const words = WORDS[locale];
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${words.title} - Keyreeve</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets.libraryStyle}">
<link rel="stylesheet" href="${assets.style}">
<script src="${assets.library}" defer></script>
<script src="${assets.script}" type="module"></script>
</head>
<body>
<header class="frame">
<div class="row">
<a class="brand" href="/">Keyreeve</a>
<span class="title">${words.title}</span>
<nav aria-label="${words.nav}">
<a href="/docs/endpoints">${words.endpoints}</a>
<a href="/docs/errors">${words.errors}</a>
<a href="/openapi.json">OpenAPI 3.1</a>
<a href="/">${words.console}</a>
</nav>
</div>
<p>${words.note}</p>
<noscript><p>${words.needsScript} <a href="/docs/endpoints">${words.endpoints}</a></p></noscript>
</header>
<div id="reference" lang="en"><p class="loading" lang="${locale}" data-failed="${words.failed}">${words.loading}</p></div>
</body>
</html>
`;
}
