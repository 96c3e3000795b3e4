import { Button } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { useWords } from '../../i18n/words.tsx';
import { EmptyState } from '../../ui/states.tsx';
import { galleryWords } from './gallery.words.ts';

/** The gallery was closed while a visitor looked at it. */
export function SignInNeeded() {
  const { t } = useWords(galleryWords);
  const { href } = useLocation();
  return (
    <EmptyState
      icon={<IconLock size={20} stroke={1.75} aria-hidden />}
      title={t('privateTitle')}
      text={t('privateText')}
      action={
        <Button renderRoot={(root) => <Link to="/sign-in" search={{ to: href }} {...root} />}>
          {t('signIn')}
        </Button>
      }
    />
  );
}
