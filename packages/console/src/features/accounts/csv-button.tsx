import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { readAllPages } from '../../api/read-all-pages.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { notifyFailure } from '../../ui/notify.tsx';
import { accountsWords } from './accounts.words.ts';
import { toCsv } from './accounts-csv.ts';
import {
  type Account,
  type AccountKind,
  isUser,
  lastConnectedOf,
  loginOf,
  readAccountPage,
} from './accounts-queries.ts';
import { type AccountListState, toListQuery } from './list-state.ts';

const ROWS_A_CALL = 200;

/** All accounts of the list. There is no bound: a file that lacks some would be taken for the whole. */
async function readAll(
  kind: AccountKind,
  state: AccountListState,
  onRead: (count: number) => void,
): Promise<readonly Account[]> {
  const readPage = ({ cursor }: { readonly cursor?: string }) =>
    readAccountPage(kind, { ...toListQuery(state, cursor), limit: ROWS_A_CALL });
  return (await readAllPages(readPage, Number.POSITIVE_INFINITY, onRead)).items;
}

/** Hands a text to the browser as a file. */
function saveFile(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

/** The list as it is filtered and sorted now, all pages of it. */
export function CsvButton(props: { readonly kind: AccountKind; readonly state: AccountListState }) {
  const { kind, state } = props;
  const { t, language } = useWords(accountsWords);
  const { t: tAccount } = useWords(accountWords);
  const [count, setCount] = useState(0);
  const download = useMutation({
    mutationFn: async () => {
      setCount(0);
      const accounts = await readAll(kind, state, setCount);
      const head = [
        t('name'),
        kind === 'user' ? tAccount('email') : tAccount('technicalName'),
        kind === 'user' ? tAccount('role') : tAccount('email'),
        t('apiKeys'),
        tAccount('tags'),
        t('lastConnected'),
        t('status'),
      ];
      const rows = accounts.map((account) => [
        account.displayName,
        loginOf(account),
        isUser(account) ? tAccount(account.role) : account.email,
        account.keys?.total ?? 0,
        account.tags.join(' '),
        lastConnectedOf(account),
        t(account.state),
      ]);
      saveFile(kind === 'user' ? 'users.csv' : 'service-accounts.csv', toCsv([head, ...rows]));
    },
    onError: notifyFailure,
  });
  return (
    <Button
      variant="subtle"
      color="gray"
      loading={download.isPending && count === 0}
      leftSection={<IconDownload size={16} stroke={1.75} aria-hidden />}
      onClick={() => {
        if (!download.isPending) download.mutate();
      }}
    >
      {download.isPending && count > 0
        ? t('readSoFar', { n: formatNumber(count, language) })
        : t('downloadCsv')}
    </Button>
  );
}
