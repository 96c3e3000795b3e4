import { Button } from '@mantine/core';
import { IconCopy } from '@tabler/icons-react';
import { useBlocker } from '@tanstack/react-router';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { keyResultWords } from './key-result.words.ts';
import type { SecretBox } from './secret-box.ts';
import type { SecretCopy } from './use-secret-copy.ts';

/** Asked once when a secret is about to be lost that nobody has copied. */
export function LeaveQuestion(props: {
  readonly isOpen: boolean;
  readonly onBack: () => void;
  readonly onLeave: () => void;
  readonly onCopyAndLeave: () => void;
}) {
  const { t } = useWords(keyResultWords);
  const { t: common } = useWords(uiWords);
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={props.onBack}
      title={t('leaveTitle')}
      aside={
        <Button variant="subtle" color="red.7" onClick={props.onLeave}>
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
      <p>{t('leaveText')}</p>
    </Dialog>
  );
}

/**
 * Holds the way to another page (a link, the browser's Back, a reload) until the person has decided, as long as a
 * secret is there that nobody has copied.
 */
export function useLeaveGuard(isGuarded: boolean) {
  return useBlocker({
    shouldBlockFn: ({ current, next }) => isGuarded && current.pathname !== next.pathname,
    enableBeforeUnload: () => isGuarded,
    withResolver: true,
  });
}

/** The question on the way to another page. */
export function LeaveGuard(props: { readonly box: SecretBox; readonly copy: SecretCopy }) {
  const { box, copy } = props;
  const guard = useLeaveGuard(!copy.isGone && !copy.hasCopiedSecret);
  if (guard.status !== 'blocked') return null;
  const leave = () => {
    box.wipe();
    guard.proceed();
  };
  return (
    <LeaveQuestion
      isOpen
      onBack={guard.reset}
      onLeave={leave}
      onCopyAndLeave={() => void copy.copy('secretKey').then((isDone) => (isDone ? leave() : guard.reset()))}
    />
  );
}
