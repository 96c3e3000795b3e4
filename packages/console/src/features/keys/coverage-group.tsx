import { Checkbox } from '@mantine/core';
import { type ReactNode, useId, useState } from 'react';
import { splitByPattern } from '../../format/pattern-view.ts';
import { useWords } from '../../i18n/words.tsx';
import { coverageWords } from './coverage.words.ts';
import classes from './coverage-panel.module.css';

export interface PackageRow {
  readonly name: string;
  readonly version: string | null;
  readonly isTicked: boolean;
}

/** So many rows of a group are drawn at first: a hundred patterns with fifty packages each would stall the page. */
const SHOWN_AT_FIRST = 10;

/** Packages under one heading. Those that a pattern holds are ticked and locked. */
export function PackageGroup(props: {
  readonly title: ReactNode;
  readonly count: number;
  readonly rows: readonly PackageRow[];
  readonly heldBy?: string;
  readonly onToggle?: (name: string, isTicked: boolean) => void;
}) {
  const { count, rows, heldBy } = props;
  const { t } = useWords(coverageWords);
  const id = useId();
  const [isWhole, setWhole] = useState(false);
  if (rows.length === 0) return null;
  const shown = isWhole || heldBy === undefined ? rows : rows.slice(0, SHOWN_AT_FIRST);
  const foldedCount = rows.length - shown.length;
  return (
    <div role="group" aria-labelledby={id}>
      <h4 id={id} className={classes.groupHead}>
        <span>{props.title}</span>
        <span>{count}</span>
      </h4>
      <ul className={classes.group}>
        {shown.map((row) => (
          <li key={row.name} className={classes.row}>
            <PackageBox row={row} heldBy={heldBy} onToggle={props.onToggle} />
            {row.version !== null && <span className={classes.version}>{row.version}</span>}
          </li>
        ))}
      </ul>
      {foldedCount > 0 && (
        <button type="button" className={classes.more} onClick={() => setWhole(true)}>
          {t('more', { count: foldedCount })}
        </button>
      )}
      {foldedCount === 0 && count > rows.length && (
        <p className={classes.note}>{t('hidden', { count: count - rows.length })}</p>
      )}
    </div>
  );
}

function PackageBox(props: {
  readonly row: PackageRow;
  readonly heldBy: string | undefined;
  readonly onToggle: ((name: string, isTicked: boolean) => void) | undefined;
}) {
  const { row, heldBy, onToggle } = props;
  const isLocked = heldBy !== undefined;
  return (
    <Checkbox
      size="xs"
      className={classes.box ?? ''}
      wrapperProps={{ 'data-locked': isLocked || undefined }}
      data-package={row.name}
      classNames={{ label: classes.label ?? '' }}
      checked={isLocked || row.isTicked}
      disabled={isLocked}
      onChange={(event) => onToggle?.(row.name, event.currentTarget.checked)}
      label={
        <bdi>
          {splitByPattern(heldBy ?? '', row.name).map(({ text, isHeld }, index) =>
            isHeld ? (
              <span key={index} className={classes.held}>
                {text}
              </span>
            ) : (
              text
            ),
          )}
        </bdi>
      }
    />
  );
}
