import { Button, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { isNameTyped } from '../format/typed-name.ts';
import { useWords } from '../i18n/words.tsx';
import { ActionButton } from './action-button.tsx';
import { CopyIcon } from './copy-button.tsx';
import { Dialog } from './dialog.tsx';
import { uiWords } from './ui.words.ts';

/**
 * Asks before something that cannot be taken back. The focus stands on Cancel; with `typedName`, the verb works
 * only once the name has been typed.
 */
export function ConfirmDialog(props: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly verb: string;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
  readonly typedName?: string;
  /** The reversible way, far left. */
  readonly softer?: ReactNode;
  readonly children: ReactNode;
}) {
  const { t } = useWords(uiWords);
  const [typed, setTyped] = useState('');
  const isNamed = props.typedName === undefined || isNameTyped(typed, props.typedName);
  const close = () => {
    setTyped('');
    props.onClose();
  };
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={close}
      title={props.title}
      aside={props.softer}
      actions={
        <>
          <Button
            variant="default"
            onClick={close}
            data-autofocus={props.typedName === undefined || undefined}
          >
            {t('cancel')}
          </Button>
          <ActionButton
            color="red.7"
            loading={props.isBusy}
            disabled={!isNamed}
            onClick={() => {
              if (isNamed) props.onConfirm();
            }}
          >
            {props.verb}
          </ActionButton>
        </>
      }
    >
      {props.children}
      {props.typedName !== undefined && (
        <TextInput
          mt="md"
          data-autofocus
          autoComplete="off"
          label={t('typeToConfirm', { name: props.typedName })}
          value={typed}
          rightSection={<CopyIcon text={props.typedName} label={t('copyName')} />}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
    </Dialog>
  );
}
