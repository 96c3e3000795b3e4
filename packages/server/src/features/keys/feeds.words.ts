import type { Locale } from '../../jobs/index.ts';
import { toIso } from '../../lib/clock.ts';
import type { ComingExpiry, ExpiryFeed } from './expiry-feed.ts';

interface FeedWords {
  readonly title: (workspace: string) => string;
  readonly summary: (comment: string) => string;
  readonly account: string;
  readonly key: string;
  readonly expires: string;
  readonly renew: string;
}

const WORDS: Readonly<Record<Locale, FeedWords>> = {
  en: {
    title: (workspace) => `API keys about to expire (${workspace})`,
    summary: (comment) => `API key “${comment}” expires`,
    account: 'Account',
    key: 'API key',
    expires: 'Works until',
    renew: 'Renew it in the console',
  },
  ja: {
    title: (workspace) => `APIキーの有効期限（${workspace}）`,
    summary: (comment) => `APIキー「${comment}」の有効期限`,
    account: 'アカウント',
    key: 'APIキー',
    expires: '有効期限',
    renew: 'コンソールで再生成する',
  },
};

export function feedTitle({ locale, workspaceName }: ExpiryFeed): string {
  return WORDS[locale].title(workspaceName);
}

export function expirySummary({ comment }: ComingExpiry, locale: Locale): string {
  return WORDS[locale].summary(comment);
}

/** Several lines. The instant is in UTC; a calendar shows its own beside it. */
export function expiryDescription(expiry: ComingExpiry, locale: Locale): string {
  const words = WORDS[locale];
  return [
    `${words.account}: ${expiry.accountName}`,
    `${words.key}: ${expiry.keyId}`,
    `${words.expires}: ${toIso(expiry.expiresAt)}`,
    `${words.renew}: ${expiry.pageUrl}`,
  ].join('\n');
}
