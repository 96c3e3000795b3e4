import { Button, TextInput } from '@mantine/core';
import { IconZoomQuestion } from '@tabler/icons-react';
import { type ClipboardEvent, type FormEvent, type InputEvent, useId, useRef, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { Fault } from '../keys/dialog-fault.tsx';
import classes from './all-keys.module.css';
import {
  type Finding,
  holdsFullKey,
  isRecognised,
  lookUpImported,
  lookUpPublic,
  lookUpText,
} from './look-up.ts';
import { lookUpWords } from './look-up.words.ts';
import { LookUpFinding } from './look-up-finding.tsx';

interface Outcome {
  readonly finding: Finding | null;
  readonly error: unknown;
  readonly isBusy: boolean;
}

const NOTHING_YET: Outcome = { finding: null, error: null, isBusy: false };

/**
 * The questions to the server, without a mutation: that would keep what it was asked with. Answers that come after
 * another question are dropped.
 */
function useLookUp() {
  const [outcome, setOutcome] = useState<Outcome>(NOTHING_YET);
  const turn = useRef(0);
  const ask = async (question: () => Promise<Finding>) => {
    turn.current += 1;
    const mine = turn.current;
    setOutcome({ finding: null, error: null, isBusy: true });
    let next: Outcome;
    try {
      next = { finding: await question(), error: null, isBusy: false };
    } catch (error) {
      next = { finding: null, error, isBusy: false };
    }
    if (mine === turn.current) setOutcome(next);
  };
  const reset = () => {
    turn.current += 1;
    setOutcome(NOTHING_YET);
  };
  return { ...outcome, ask, reset };
}

/**
 * The field is not React's: what is pasted stands in it at most until it is recognised, and in no state. A text that
 * is no key of ours stays, to be corrected or to be asked about as an imported one.
 */
function useKeyField(onText: (text: string) => void, onEdit: () => void) {
  const field = useRef<HTMLInputElement>(null);
  const empty = () => {
    if (field.current !== null) field.current.value = '';
  };
  const recognise = (text: string) => {
    if (text.trim() === '') return;
    if (isRecognised(text)) empty();
    onText(text);
  };
  return {
    field,
    empty,
    submit: (event: FormEvent) => {
      event.preventDefault();
      recognise(field.current?.value ?? '');
    },
    handlers: {
      onPaste: (event: ClipboardEvent<HTMLInputElement>) => {
        const text = event.clipboardData.getData('text');
        if (!isRecognised(text)) return;
        event.preventDefault();
        recognise(text);
      },
      onInput: (event: InputEvent<HTMLInputElement>) => {
        const { value } = event.currentTarget;
        if (holdsFullKey(value)) recognise(value);
        else onEdit();
      },
    },
  };
}

/** Tells administrators whose key a text holds, and lets them revoke it on the spot. */
export function LookUpDialog(props: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { t } = useWords(lookUpWords);
  const ui = useWords(uiWords);
  const hintId = useId();
  const { finding, error, isBusy, ask, reset } = useLookUp();
  const { field, empty, submit, handlers } = useKeyField((text) => void ask(() => lookUpText(text)), reset);
  const askImported = () => {
    const text = field.current?.value.trim() ?? '';
    empty();
    if (text !== '') void ask(() => lookUpImported(text));
  };
  const close = () => {
    empty();
    reset();
    props.onClose();
  };
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={close}
      title={t('title')}
      actions={
        <Button variant="default" onClick={close}>
          {ui.t('close')}
        </Button>
      }
    >
      <p id={hintId} className={`${classes.lookUpHint} kr-secondary`}>
        {t('hint')}
      </p>
      <form onSubmit={submit} autoComplete="off" className={classes.lookUp}>
        <TextInput
          ref={field}
          className={classes.lookUpField ?? ''}
          data-autofocus
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          label={t('field')}
          aria-describedby={hintId}
          {...handlers}
        />
        <ActionButton
          type="submit"
          variant="default"
          loading={isBusy}
          leftSection={<IconZoomQuestion size={16} stroke={1.75} aria-hidden />}
        >
          {t('lookUp')}
        </ActionButton>
      </form>
      <div aria-live="polite" className={classes.finding}>
        {isBusy && <span className="kr-visually-hidden">{t('checking')}</span>}
        <Fault error={error} />
        {finding !== null && (
          <LookUpFinding
            finding={finding}
            onAskPublic={(apiKey) => void ask(() => lookUpPublic(apiKey))}
            onAskImported={askImported}
          />
        )}
      </div>
    </Dialog>
  );
}
