import type { Overview } from '@keyreeve/sdk';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';

export const REASONS = [
  'expired',
  'insufficient_scope',
  'not_found',
  'disabled',
  'malformed',
  'rate_limited',
  'quota_exceeded',
  'account_disabled',
  'ip_not_allowed',
] as const;

/** Sorted bars, words beside the code; red for the one that means a caller has stopped working. */
export function RefusalsPanel(props: { readonly value: Overview; readonly period: string }) {
  const { refusals } = props.value;
  const { t, language } = useWords(overviewWords);
  const total = refusals.reduce((sum, { count }) => sum + count, 0);
  const highest = Math.max(1, ...refusals.map(({ count }) => count));
  return (
    <Panel
      title={t('refusals')}
      description={
        total === 0
          ? t('noRefusals')
          : t('refusalsText', { total: formatNumber(total, language), period: props.period })
      }
    >
      <ul className={classes.reasons}>
        {refusals.map(({ reason, count }) => (
          <li key={reason}>
            <div className={classes.reason}>
              <span>
                {t(REASONS.find((known) => known === reason) ?? 'other')}{' '}
                <span className="kr-mono kr-dimmed kr-small">{reason}</span>
              </span>
              <span>{formatNumber(count, language)}</span>
            </div>
            <div className={classes.bar} aria-hidden>
              <div
                className={classes.barFill}
                data-tone={reason === 'expired' ? 'red' : undefined}
                style={{ width: `${Math.max(0.5, (count / highest) * 100)}%` }}
              />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
