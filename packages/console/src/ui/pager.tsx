import { Button, Group, NativeSelect } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { formatNumber } from '../format/dates.ts';
import { useWords } from '../i18n/words.tsx';
import classes from './pager.module.css';
import { uiWords } from './ui.words.ts';

export const ROW_CHOICES = [25, 50, 100, 200] as const;
const ROWS_DEFAULT = 50;

/** The rows that an address asks for, if they are to choose from: a list takes no others of its server. */
export function readRows(rows: number | undefined): number {
  return ROW_CHOICES.find((choice) => choice === rows) ?? ROWS_DEFAULT;
}

/** Below a list: where one is, how many rows, back and on. Lists have cursors, so there is no jump to page 7. */
export function Pager(props: {
  readonly from: number;
  readonly count: number;
  /** Null when it is not known. */
  readonly total: number | null;
  readonly rows: number;
  readonly onRows: (rows: number) => void;
  readonly onPrevious: (() => void) | null;
  readonly onNext: (() => void) | null;
}) {
  const { t, language } = useWords(uiWords);
  const number = (value: number) => formatNumber(value, language);
  const range = {
    from: number(props.count === 0 ? 0 : props.from),
    to: number(props.from + props.count - 1),
    total: number(props.total ?? 0),
  };
  return (
    <Group justify="space-between" gap="sm" className={classes.pager}>
      <span className="kr-secondary" aria-live="polite">
        {props.total === null ? t('rangeOpen', range) : t('range', range)}
      </span>
      <Group gap="xs">
        <NativeSelect
          className={classes.rows}
          label={t('rows')}
          value={String(props.rows)}
          data={ROW_CHOICES.map(String)}
          onChange={(event) => props.onRows(Number(event.currentTarget.value))}
        />
        <Button
          variant="default"
          disabled={props.onPrevious === null}
          onClick={() => props.onPrevious?.()}
          leftSection={<IconChevronLeft size={16} stroke={1.75} />}
        >
          {t('previous')}
        </Button>
        <Button
          variant="default"
          disabled={props.onNext === null}
          onClick={() => props.onNext?.()}
          rightSection={<IconChevronRight size={16} stroke={1.75} />}
        >
          {t('next')}
        </Button>
      </Group>
    </Group>
  );
}
