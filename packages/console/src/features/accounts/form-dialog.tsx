import { Button } from '@mantine/core';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { Refusal } from '../../ui/refusal.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { UnsavedQuestion } from '../../ui/unsaved-question.tsx';
import { accountFormWords } from './account-form.words.ts';
import classes from './forms.module.css';

/** A dialog that makes something: fields, what no field shows of a refusal, Cancel and Create. */
export function FormDialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly onSubmit: () => void;
  readonly isBusy: boolean;
  /** Something was typed that would be lost. */
  readonly isChanged: boolean;
  readonly error: unknown;
  /** Of the refusal, what stands at no field. */
  readonly rest: string | null;
  readonly children: ReactNode;
}) {
  const { t } = useWords(accountFormWords);
  const { t: tUi } = useWords(uiWords);
  const formId = useId();
  const form = useFocusOnFault<HTMLFormElement>(props.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onSubmit();
  };
  const [isAsking, setAsking] = useState(false);
  // A stray click or Escape loses nothing that was typed; Cancel says what it does. What is sent cannot be called back.
  const tryClose = () => {
    if (props.isBusy) return;
    if (props.isChanged) setAsking(true);
    else props.onClose();
  };
  return (
    <>
      <Dialog
        isOpen
        size="medium"
        onClose={tryClose}
        title={props.title}
        actions={
          <>
            <Button variant="default" disabled={props.isBusy} onClick={props.onClose}>
              {tUi('cancel')}
            </Button>
            <ActionButton type="submit" form={formId} loading={props.isBusy}>
              {tUi('create')}
            </ActionButton>
          </>
        }
      >
        <form id={formId} ref={form} onSubmit={submit} noValidate className={classes.form}>
          <Refusal>{props.rest}</Refusal>
          {props.children}
        </form>
      </Dialog>
      <UnsavedQuestion
        isOpen={isAsking && !props.isBusy}
        lost={t('nothingCreated')}
        onBack={() => setAsking(false)}
        onLeave={props.onClose}
      />
    </>
  );
}
