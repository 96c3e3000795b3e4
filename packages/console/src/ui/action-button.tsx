import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ComponentPropsWithoutRef } from 'react';
import { useConnection } from '../api/connection.ts';
import { useWords } from '../i18n/words.tsx';
import { uiWords } from './ui.words.ts';

/** A button that changes something on the server: off, with the reason, while the server does not answer. */
export function ActionButton(props: ButtonProps & ComponentPropsWithoutRef<'button'>) {
  const { isOffline } = useConnection();
  const { t } = useWords(uiWords);
  if (!isOffline) return <Button {...props} />;
  return (
    <Tooltip label={t('offlineReason')}>
      <Button {...props} data-disabled onClick={(event) => event.preventDefault()} aria-disabled />
    </Tooltip>
  );
}
