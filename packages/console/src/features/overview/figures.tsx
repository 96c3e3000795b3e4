import type { Overview } from '@keyreeve/sdk';
import { IconCircleX, IconHourglassLow } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import type { KeyFilter } from '../all-keys/all-keys-query.ts';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

function Figure(props: {
  readonly count: number;
  readonly label: string;
  readonly filter: KeyFilter;
  readonly hours?: number;
  readonly tone?: string;
  readonly icon?: ReactNode;
}) {
  const { language } = useWords(overviewWords);
  const tone = props.count > 0 ? (props.tone ?? '') : '';
  return (
    <Link
      to="/keys"
      search={{ filter: props.filter, ...(props.hours === undefined ? {} : { hours: props.hours }) }}
      className={classes.figure}
    >
      <span className={`${classes.number} ${tone}`}>{formatNumber(props.count, language)}</span>
      <span className={`${classes.label} ${tone}`}>
        {props.count > 0 && props.icon}
        {props.label}
      </span>
    </Link>
  );
}

/** Five numbers; each leads to the keys that it counts. */
export function Figures(props: { readonly value: Overview }) {
  const { t } = useWords(overviewWords);
  const { keys, noticeDays } = props.value;
  return (
    <div>
      <div className={classes.figures}>
        <Figure
          count={keys.expiredStillCalled}
          label={t('expiredStillCalled')}
          filter="stillCalled"
          hours={props.value.hours}
          tone="kr-red"
          icon={<IconCircleX {...ICON} />}
        />
        <Figure
          count={keys.expiring}
          label={t('expiring', { days: noticeDays })}
          filter="expiring"
          tone="kr-amber"
          icon={<IconHourglassLow {...ICON} />}
        />
        <Figure count={keys.working} label={t('working')} filter="working" />
        <Figure count={keys.neverUsed} label={t('neverUsed')} filter="neverUsed" />
        <Figure count={keys.unusedFor90Days} label={t('unused')} filter="unused" />
      </div>
      {keys.isPartial && <p className="kr-dimmed kr-small">{t('partial')}</p>}
    </div>
  );
}
