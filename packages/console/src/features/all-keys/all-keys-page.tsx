import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconZoomQuestion } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useIsAdmin } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { SearchBox } from '../../ui/search-box.tsx';
import { allKeysWords } from './all-keys.words.ts';
import { readKeyList } from './all-keys-query.ts';
import { KeyFilters } from './key-filters.tsx';
import { KeyList } from './key-list.tsx';
import { LookUpDialog } from './look-up-dialog.tsx';

/** Every key that the person may see: of the whole workspace for administrators, own and managed ones for others. */
export function AllKeysPage() {
  const { t } = useWords(allKeysWords);
  const search = useSearch({ from: '/shell/keys' });
  const navigate = useNavigate();
  const isAdmin = useIsAdmin();
  const [isLookUpOpen, lookUp] = useDisclosure(false);
  const state = readKeyList(search);
  const change = (next: Partial<Record<keyof ListSearch, string | number | undefined>>) =>
    void navigate({ to: '/keys', search: { ...search, ...next } as ListSearch, replace: true });
  return (
    <Page
      title={t('title')}
      actions={
        <>
          <SearchBox label={t('search')} value={state.q} onSearch={(q) => change({ q })} />
          {isAdmin && (
            <Button
              variant="default"
              leftSection={<IconZoomQuestion size={16} stroke={1.75} aria-hidden />}
              onClick={lookUp.open}
            >
              {t('whose')}
            </Button>
          )}
        </>
      }
    >
      <KeyFilters state={state} onChange={change} />
      <KeyList state={state} onChange={change} />
      {isAdmin && <LookUpDialog isOpen={isLookUpOpen} onClose={lookUp.close} />}
    </Page>
  );
}
