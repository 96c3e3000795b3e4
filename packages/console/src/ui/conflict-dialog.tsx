import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useWords } from '../i18n/words.tsx';
import classes from './conflict-dialog.module.css';
import { conflictWords } from './conflict-dialog.words.ts';
import { Dialog } from './dialog.tsx';

/** One thing that two people have changed: what is saved now, and what this person wants. */
export interface ConflictField {
  readonly id: string;
  readonly label: string;
  readonly saved: ReactNode;
  readonly mine: ReactNode;
}

/**
 * Somebody else has saved since the form was opened, so nothing was overwritten. The person gives the own changes up,
 * or goes back to the form, which then stands on what is saved now, looks them through and saves again.
 */
export function ConflictDialog(props: {
  readonly isOpen: boolean;
  readonly title: string;
  /** Who saved what when, as far as that is known. */
  readonly text: string;
  readonly fields: readonly ConflictField[];
  readonly onDiscard: () => void;
  readonly onReview: () => void;
}) {
  const { isOpen, title, text, fields, onDiscard, onReview } = props;
  const { t } = useWords(conflictWords);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onReview}
      title={title}
      actions={
        <>
          <Button variant="default" onClick={onDiscard}>
            {t('discardMine')}
          </Button>
          <Button data-autofocus onClick={onReview}>
            {t('reviewMine')}
          </Button>
        </>
      }
    >
      <p className={classes.text} role="alert">
        {text}
      </p>
      {fields.map(({ id, label, saved, mine }) => (
        <div key={id} className={classes.field}>
          {fields.length > 1 && <div className={classes.label}>{label}</div>}
          <div className={classes.sides} role="group" aria-label={label}>
            <div className={classes.side}>
              <h3>{t('savedNow')}</h3>
              {saved}
            </div>
            <div className={classes.side}>
              <h3>{t('yours')}</h3>
              {mine}
            </div>
          </div>
        </div>
      ))}
    </Dialog>
  );
}
