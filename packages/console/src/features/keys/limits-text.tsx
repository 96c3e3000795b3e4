import type { KeyAllowance, KeyLimits } from '@keyreeve/sdk';
import { formatDuration, formatInstant, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './limits.module.css';
import { limitsWords } from './limits.words.ts';
import { type LimitsDraft, toLimits } from './limits-draft.ts';

type Rate = NonNullable<KeyLimits['rate']>;
type Quota = NonNullable<KeyLimits['quota']>;

function useLimitText() {
  const { t, language } = useWords(limitsWords);
  const number = (value: number) => formatNumber(value, language);
  return {
    rate: ({ requests, windowSeconds }: Rate) =>
      t('rate', { count: requests, n: number(requests), window: formatDuration(windowSeconds, language) }),
    quota: ({ uses, refill }: Quota) => {
      const text = t(`quota${refill?.every ?? 'never'}`, { count: uses, n: number(uses) });
      if (refill?.uses == null) return text;
      return `${text} (${t('back', { count: refill.uses, n: number(refill.uses) })})`;
    },
  };
}

/** Limits as somebody has set them. */
export function LimitsText({ value }: { readonly value: KeyLimits | null }) {
  const { t } = useWords(limitsWords);
  const text = useLimitText();
  if (value === null) return <span className="kr-secondary">{t('none')}</span>;
  return (
    <ul className={classes.list}>
      {value.rate !== null && <li>{text.rate(value.rate)}</li>}
      {value.quota !== null && <li>{text.quota(value.quota)}</li>}
    </ul>
  );
}

/** The same as somebody is about to set them. */
export function LimitsDraftText({ value }: { readonly value: LimitsDraft }) {
  const { rate = null, quota = null } = toLimits(value) ?? {};
  const refill = quota?.refill ?? null;
  const shown =
    quota === null
      ? null
      : { uses: quota.uses, refill: refill && { every: refill.every, uses: refill.uses ?? null } };
  return <LimitsText value={rate === null && shown === null ? null : { rate, quota: shown }} />;
}

/** All limits that hold a key, and what is left of them now. */
export function AllowanceText({ value }: { readonly value: KeyAllowance | null }) {
  const { t, language } = useWords(limitsWords);
  const text = useLimitText();
  if (value === null) return <span className="kr-secondary">{t('none')}</span>;
  return (
    <ul className={classes.list}>
      {value.rates.map((rate) => (
        <li key={rate.source}>
          {text.rate(rate)}
          {rate.source === 'account' && <span className="kr-dimmed"> · {t('ofAccount')}</span>}
        </li>
      ))}
      {value.quotas.map((quota) => {
        const remaining = formatNumber(quota.remaining, language);
        return (
          <li key={quota.source}>
            {text.quota(quota)}
            {quota.source === 'account' && <span className="kr-dimmed"> · {t('ofAccount')}</span>}
            <div className={quota.remaining === 0 ? 'kr-red kr-small' : 'kr-dimmed kr-small'}>
              {quota.refillsAt === null
                ? t('left', { remaining })
                : t('leftUntil', { remaining, instant: formatInstant(quota.refillsAt, language) })}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
