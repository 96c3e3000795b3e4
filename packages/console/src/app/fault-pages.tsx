import { Button } from '@mantine/core';
import { IconAlertTriangle, IconMapQuestion } from '@tabler/icons-react';
import { useWords } from '../i18n/words.tsx';
import { EmptyState } from '../ui/states.tsx';
import { shellWords } from './shell/shell.words.ts';

export function NotFoundPage() {
  const { t } = useWords(shellWords);
  return (
    <EmptyState
      icon={<IconMapQuestion size={20} stroke={1.75} aria-hidden />}
      title={t('notFoundTitle')}
      text={t('notFoundText')}
      action={
        <Button component="a" href="/overview" variant="default">
          {t('toOverview')}
        </Button>
      }
    />
  );
}

/** A fault of our own code. What the exception says is not shown: it may hold what a person typed. */
export function CrashPage() {
  const { t } = useWords(shellWords);
  return (
    <div role="alert">
      <EmptyState
        tone="red"
        icon={<IconAlertTriangle size={20} stroke={1.75} aria-hidden />}
        title={t('crashTitle')}
        text={t('crashText')}
        action={
          <Button variant="default" onClick={() => globalThis.location.reload()}>
            {t('reload')}
          </Button>
        }
      />
    </div>
  );
}
