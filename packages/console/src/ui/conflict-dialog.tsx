import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useWords } from '../i18n/words.tsx';
import { ActionButton } from './action-button.tsx';
import classes from './conflict-dialog.module.css';
import { Dialog } from './dialog.tsx';
import { unsavedWords } from './unsaved.words.ts';

/** One field of which the two sides differ. */
export interface ConflictRow {
  readonly id: string;
  readonly label: string;
  /** Null when it holds nothing. */
  readonly saved: ReactNode;
  /** Null when it holds nothing; absent when the person has not changed this field. */
  readonly yours?: ReactNode;
}

/**
 * Somebody else has saved the thing since this page read it. Shows what is saved now beside what the person has
 * changed; nothing is overwritten before he has seen it.
 */
export function ConflictDialog(props: {
  readonly isOpen: boolean;
  /** "This user was changed meanwhile" */
  readonly title: string;
  /** Who saved what and when, if it is known. */
  readonly text: ReactNode;
  readonly rows: readonly ConflictRow[];
  readonly isBusy: boolean;
  /** Takes over what is saved now. */
  readonly onDiscard: () => void;
  /** Saves the person's changes over it. */
  readonly onSave: () => void;
  /** Decides later; nothing typed is lost. */
  readonly onClose: () => void;
}) {
  const { t } = useWords(unsavedWords);
  const shown = (value: ReactNode) => value ?? <span className="kr-dimmed">{t('empty')}</span>;
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={props.onClose}
      title={props.title}
      actions={
        <>
          <Button variant="default" data-autofocus onClick={props.onDiscard}>
            {t('discardMine')}
          </Button>
          <ActionButton loading={props.isBusy} onClick={props.onSave}>
            {t('saveMine')}
          </ActionButton>
        </>
      }
    >
      <div>{props.text}</div>
      <table className={classes.compared} aria-label={t('compared')}>
        <thead>
          <tr>
            <th scope="col">{t('savedNow')}</th>
            <th scope="col">{t('yours')}</th>
          </tr>
        </thead>
        {props.rows.map((row) => (
          <tbody key={row.id}>
            <tr>
              <th scope="rowgroup" colSpan={2}>
                {row.label}
              </th>
            </tr>
            <tr>
              <td>{shown(row.saved)}</td>
              <td>
                {row.yours === undefined ? (
                  <span className="kr-dimmed">{t('notChanged')}</span>
                ) : (
                  shown(row.yours)
                )}
              </td>
            </tr>
          </tbody>
        ))}
      </table>
    </Dialog>
  );
}
