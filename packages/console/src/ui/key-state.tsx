import type { Key } from '@keyreeve/sdk';
import { Badge } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowsExchange,
  IconCircleCheck,
  IconCircleMinus,
  IconCircleX,
  IconHourglassLow,
} from '@tabler/icons-react';
import { daysLeft, HOUR_MS } from '../format/dates.ts';
import { useWords } from '../i18n/words.tsx';
import classes from './key-state.module.css';
import { keyStateWords } from './key-state.words.ts';
import { useNow } from './use-now.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** Icon, word and colour of a key's state, and a dimmed second line (or second word) where there is something to add. */
export function KeyState(props: {
  readonly value: Key;
  /** Where what there is to add stands; below, unless told. */
  readonly second?: 'below' | 'beside' | 'none';
}) {
  const { value, second: place = 'below' } = props;
  const { t } = useWords(keyStateWords);
  const now = useNow();
  const line = (icon: React.ReactNode, word: string, second?: string) => (
    <span className={classes.state}>
      {icon}
      <span className={classes.words} data-place={place}>
        <span>{word}</span>
        {second !== undefined && place !== 'none' && <span className={classes.second}>{second}</span>}
      </span>
    </span>
  );
  if (value.status === 'disabled')
    return line(
      <IconCircleMinus {...ICON} className="kr-dimmed" />,
      t('disabled'),
      value.disabledReason ?? undefined,
    );
  if (value.status === 'expired')
    return (
      <span className="kr-red">
        {line(
          <IconCircleX {...ICON} />,
          t('expired'),
          value.refusedSinceExpiry > 0 ? t('refusedSince', { count: value.refusedSinceExpiry }) : undefined,
        )}
      </span>
    );
  if (value.overlapEndsAt !== null) {
    const hours = Math.max(1, Math.ceil((Date.parse(value.overlapEndsAt) - now) / HOUR_MS));
    return (
      <span className="kr-iris">
        {line(<IconArrowsExchange {...ICON} />, t('overlap'), t('hoursLeft', { count: hours }))}
      </span>
    );
  }
  if (value.status === 'expiring' && value.expiresAt !== null)
    return (
      <span className="kr-amber">
        {line(<IconHourglassLow {...ICON} />, t('daysLeft', { count: daysLeft(value.expiresAt, now) }))}
      </span>
    );
  return line(<IconCircleCheck {...ICON} className="kr-green" />, t('valid'));
}

/** The mark of a legacy key, beside its state. */
export function FullAccessMark() {
  const { t } = useWords(keyStateWords);
  return (
    <Badge color="amber" leftSection={<IconAlertTriangle size={12} stroke={2} aria-hidden />}>
      {t('fullAccess')}
    </Badge>
  );
}
