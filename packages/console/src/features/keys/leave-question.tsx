import { Button } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useLeaveBlocker } from '../../ui/use-leave-blocker.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { keyResultWords } from './key-result.words.ts';
import type { SecretBox } from './secret-box.ts';
import type { SecretCopy } from './use-secret-copy.ts';

/**
 * Asked once when a secret is about to be lost that nobody has copied. Mounted only while it is asked: a dialog
 * that was there before would take the Escape that has opened it for its own.
 */
function LeaveQuestion(props: {
  /** What is lost, if it is no secret key. */
  readonly text?: string | undefined;
  readonly onBack: () => void;
  readonly onLeave: () => void;
  readonly onCopyAndLeave: () => void;
}) {
  const { t } = useWords(keyResultWords);
  const { t: common } = useWords(uiWords);
  return (
    <Dialog
      isOpen
      onClose={props.onBack}
      title={t('leaveTitle')}
      aside={
        <Button variant="subtle" color="red" onClick={props.onLeave}>
          {t('closeAnyway')}
        </Button>
      }
      actions={
        <>
          <Button variant="default" onClick={props.onBack}>
            {common('back')}
          </Button>
          <Button
            data-autofocus
            leftSection={<IconCopy size={16} stroke={1.75} aria-hidden />}
            onClick={props.onCopyAndLeave}
          >
            {t('copyAndClose')}
          </Button>
        </>
      }
    >
      <p>{props.text ?? t('leaveText')}</p>
    </Dialog>
  );
}

/** The question on the way out of the window. */
export function CloseQuestion(props: {
  readonly isAsking: boolean;
  readonly text?: string | undefined;
  readonly onBack: () => void;
  readonly onLeave: () => void;
  readonly onCopyAndLeave: () => void;
}) {
  const { isAsking, ...rest } = props;
  useReturnFocus(isAsking);
  return isAsking ? <LeaveQuestion {...rest} /> : null;
}

/** The question on the way to another page. */
export function SecretLeaveGuard(props: {
  readonly box: SecretBox;
  readonly copy: SecretCopy;
  readonly text?: string | undefined;
}) {
  const { box, copy, text } = props;
  const leaving = useLeaveBlocker(!copy.isGone && !copy.hasCopiedSecret);
  useReturnFocus(leaving !== null);
  if (leaving === null) return null;
  const leave = () => {
    box.wipe();
    leaving.leave();
  };
  return (
    <LeaveQuestion
      text={text}
      onBack={leaving.stay}
      onLeave={leave}
      onCopyAndLeave={() => void copy.copy('secretKey').then((isDone) => (isDone ? leave() : leaving.stay()))}
    />
  );
}
