import { Button } from '@mantine/core';
import { useSession } from '../../api/session.ts';
import { FrontPage } from '../../features/session/front-page.tsx';
import { useWords } from '../../i18n/words.tsx';
import { shellWords } from './shell.words.ts';

/** In the place of everything that was drawn for one person, once another is signed in. */
export function OtherAccount() {
  const { t } = useWords(shellWords);
  const { account } = useSession();
  return (
    <FrontPage title={t('otherTitle')}>
      <p role="alert">{t('otherText', { name: account.displayName })}</p>
      <Button fullWidth mt="lg" autoFocus onClick={() => globalThis.location.reload()}>
        {t('reload')}
      </Button>
    </FrontPage>
  );
}
