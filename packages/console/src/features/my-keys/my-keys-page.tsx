import type { Key } from '@keyreeve/sdk';
import { IconPlus } from '@tabler/icons-react';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountKeysQuery } from '../../api/account-keys-query.ts';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Page } from '../../ui/page.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { CreateKeyDialog } from '../keys/create-key-dialog.tsx';
import { KeyDialogs } from '../keys/key-dialogs.tsx';
import type { KeyRequest } from '../keys/key-request.ts';
import { KeyResult } from '../keys/key-result.tsx';
import { CreateCards, type Purpose } from './create-cards.tsx';
import { useFreshSecrets } from './fresh-secrets.ts';
import { ManageSection } from './manage-section.tsx';
import { myKeysWords } from './my-keys.words.ts';
import { type Replacement, ReplaceOffer } from './replace-offer.tsx';
import { TroubleBanners } from './trouble-banner.tsx';

/** What the create dialog was opened for. It stays after closing, so that the dialog can fade out as it was. */
interface Creation {
  readonly isOpen: boolean;
  readonly purpose: Purpose | undefined;
  readonly replaces: Key | null;
}

const NO_CREATION: Creation = { isOpen: false, purpose: undefined, replaces: null };

/** One's own keys: what is broken and what breaks next on top, then making keys, then managing them. */
export function MyKeysPage() {
  const { t } = useWords(myKeysWords);
  const { account } = useSession();
  const query = useQuery(accountKeysQuery(account.id));
  const secrets = useFreshSecrets();
  const [request, setRequest] = useState<KeyRequest | null>(null);
  const [creation, setCreation] = useState(NO_CREATION);
  const [replacement, setReplacement] = useState<Replacement | null>(null);
  const create = (purpose?: Purpose, replaces: Key | null = null) =>
    setCreation({ isOpen: true, purpose, replaces });
  const keys = query.data;
  return (
    <Page
      title={t('title')}
      meta={keys === undefined ? undefined : t('keys', { count: keys.length })}
      actions={
        <ActionButton leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />} onClick={() => create()}>
          {t('createKey')}
        </ActionButton>
      }
    >
      <TroubleBanners keys={keys ?? []} onRegenerate={(key) => setRequest({ kind: 'regenerate', key })} />
      {replacement !== null && (
        <ReplaceOffer
          replacement={replacement}
          keys={keys ?? []}
          onDisable={(key) => setRequest({ kind: 'disable', key })}
          onKeep={() => setReplacement(null)}
        />
      )}
      <CreateCards onCreate={create} />
      {keys === undefined && <NotYet query={query} />}
      {/* A secret that was just made is shown also when the list cannot be read: it comes only once. */}
      {(keys !== undefined || secrets.all.length > 0) && (
        <ManageSection
          keys={keys ?? []}
          isUnread={query.isError}
          secrets={secrets}
          onAct={(verb, key) => (verb === 'replace' ? create('push', key) : setRequest({ kind: verb, key }))}
          onCreate={() => create()}
        />
      )}
      <KeyDialogs request={request} onClose={() => setRequest(null)} onMinted={secrets.add} />
      <KeyResult minted={secrets.used} title={t('useTitle')} onClose={() => secrets.use(null)} />
      <CreateKeyDialog
        account={account}
        isOpen={creation.isOpen}
        {...(creation.purpose === undefined ? {} : { preset: creation.purpose })}
        onClose={() => setCreation((before) => ({ ...before, isOpen: false }))}
        onMinted={secrets.add}
        onCreated={(key) => {
          if (creation.replaces !== null) setReplacement({ oldId: creation.replaces.id, freshId: key.id });
        }}
      />
    </Page>
  );
}

function NotYet({ query }: { readonly query: UseQueryResult<readonly Key[]> }) {
  if (query.isError) return <LoadFailed error={query.error} onRetry={() => void query.refetch()} />;
  return <SkeletonRows height={120} rows={3} />;
}
