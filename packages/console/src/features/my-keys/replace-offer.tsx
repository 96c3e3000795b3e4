import type { Key } from '@keyreeve/sdk';
import { Alert, Button, Group } from '@mantine/core';
import { IconReplace } from '@tabler/icons-react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

/** A key that was made in place of another. */
export interface Replacement {
  readonly oldId: string;
  readonly freshId: string;
}

/** Stays until the old key is disabled or the person keeps both; the programs have to change over first. */
export function ReplaceOffer(props: {
  readonly replacement: Replacement;
  readonly keys: readonly Key[];
  readonly onDisable: (old: Key) => void;
  readonly onKeep: () => void;
}) {
  const { replacement, keys, onDisable, onKeep } = props;
  const { t } = useWords(myKeysWords);
  const old = keys.find((key) => key.id === replacement.oldId);
  const fresh = keys.find((key) => key.id === replacement.freshId);
  if (old === undefined || fresh === undefined || old.status === 'disabled') return null;
  return (
    <Alert
      className={classes.offer ?? ''}
      color="reeve"
      role="status"
      icon={<IconReplace size={18} stroke={1.75} aria-hidden />}
      title={t('replaceTitle', { old: old.comment, fresh: fresh.comment })}
    >
      <p>{t('replaceText')}</p>
      <Group gap="xs" mt="xs">
        <ActionButton size="xs" variant="default" onClick={() => onDisable(old)}>
          {t('replaceNow')}
        </ActionButton>
        <Button size="xs" variant="subtle" onClick={onKeep}>
          {t('replaceLater')}
        </Button>
      </Group>
    </Alert>
  );
}
