import { shellWords } from '../../app/shell/shell.words.ts';
import { useWords } from '../../i18n/words.tsx';
import { Page } from '../../ui/page.tsx';

export function AllKeysPage() {
  const { t } = useWords(shellWords);
  return <Page title={t('allKeys')}>{null}</Page>;
}
