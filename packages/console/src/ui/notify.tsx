import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { describeError, isOutcomeUnknown, sayFault } from '../errors/describe-error.ts';
import { currentLanguage } from '../i18n/i18n.ts';
import { say } from '../i18n/words.tsx';
import { uiWords } from './ui.words.ts';

const UNDO_MS = 8_000;

/** Bottom right: something was done. With `undo`, a button that takes it back while the message stands. */
export function notifyDone(message: string, undo?: () => void): void {
  const id = notifications.show({
    icon: <IconCircleCheck size={18} stroke={1.75} className="kr-green" aria-hidden />,
    color: 'transparent',
    closeButtonProps: { 'aria-label': say(uiWords, 'close') },
    message:
      undo === undefined ? (
        message
      ) : (
        <Group justify="space-between" gap="xs" wrap="nowrap">
          {message}
          <Button
            size="xs"
            variant="subtle"
            onClick={() => {
              notifications.hide(id);
              undo();
            }}
          >
            {say(uiWords, 'undo')}
          </Button>
        </Group>
      ),
    autoClose: undo === undefined ? 4_000 : UNDO_MS,
  });
}

export function notifyProblem(message: string): void {
  notifications.show({
    icon: <IconCircleX size={18} stroke={1.75} className="kr-red" aria-hidden />,
    color: 'transparent',
    closeButtonProps: { 'aria-label': say(uiWords, 'close') },
    message,
    autoClose: false,
    role: 'alert',
  });
}

/** A change that was refused, or that nobody knows about, in words that say what to do. */
export function notifyFailure(error: unknown): void {
  const { requestId, title } = describeError(error, currentLanguage());
  if (isOutcomeUnknown(error)) {
    notifyProblem(`${title} ${say(uiWords, 'maybeDone')}`);
    return;
  }
  const request = requestId === null ? '' : ` (${say(uiWords, 'request')} ${requestId})`;
  notifyProblem(`${say(uiWords, 'notSaved')} ${sayFault(error, currentLanguage())}${request}`);
}
