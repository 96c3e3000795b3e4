import type { User } from '@keyreeve/sdk';
import { useMemo } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { AccountState } from '../../ui/account-state.tsx';
import type { Column } from '../../ui/table.tsx';
import { Recent } from '../../ui/time.tsx';
import { Found, KeysCell, NameCell, TagsCell } from './account-cells.tsx';
import classes from './accounts.module.css';
import { accountsWords } from './accounts.words.ts';
import { type Account, type AccountKind, isUser, lastConnectedOf, loginOf } from './accounts-queries.ts';

type Translate<Word extends string> = ReturnType<typeof useWords<Word>>['t'];

/** What the two kinds of account are known by, and what they are or where they are reached. */
function kindColumns(
  kind: AccountKind,
  q: string,
  t: Translate<'email' | 'technicalName' | 'role' | User['role']>,
): readonly Column<Account>[] {
  if (kind === 'user')
    return [
      {
        id: 'login',
        header: t('email'),
        sort: 'login',
        width: '23%',
        narrow: 'aside',
        cell: (account) => <Found text={loginOf(account)} q={q} className={classes.secondary} />,
      },
      {
        id: 'role',
        header: t('role'),
        cell: (account) => <span className={classes.secondary}>{isUser(account) && t(account.role)}</span>,
      },
    ];
  return [
    {
      id: 'login',
      header: t('technicalName'),
      sort: 'login',
      width: '15%',
      narrow: 'aside',
      cell: (account) => <Found text={loginOf(account)} q={q} className={`${classes.secondary} kr-mono`} />,
    },
    {
      id: 'email',
      header: t('email'),
      width: '18%',
      cell: (account) => <Found text={account.email ?? '–'} q={q} className={classes.secondary} />,
    },
  ];
}

function LastConnected({ account }: { readonly account: Account }) {
  const { t } = useWords(accountsWords);
  const at = lastConnectedOf(account);
  return <span className={classes.secondary}>{at === null ? t('never') : <Recent at={at} />}</span>;
}

/** When somebody or something last came as this account. */
function lastConnectedColumn(kind: AccountKind, t: Translate<'lastConnected'>): Column<Account> {
  return {
    id: 'lastConnected',
    header: t('lastConnected'),
    cell: (account) => <LastConnected account={account} />,
    // Of programs the server would have to look at all keys of all accounts to sort by it.
    ...(kind === 'user' ? { sort: 'lastSeenAt' } : {}),
  };
}

/** The columns of a list; the same array while kind, search and language are. */
export function useAccountColumns(
  kind: AccountKind,
  q: string,
  open: (id: string) => void,
): readonly Column<Account>[] {
  const { t, language } = useWords(accountsWords);
  const { t: tAccount } = useWords(accountWords);
  // `t` is another function each time; it follows the language.
  return useMemo(() => {
    const path = kind === 'user' ? '/users' : '/service-accounts';
    return [
      {
        id: 'name',
        header: t('name'),
        sort: 'name',
        width: '19%',
        narrow: 'title',
        cell: (account) => (
          <NameCell
            account={account}
            q={q}
            href={`${path}/${encodeURIComponent(account.id)}`}
            onOpen={() => open(account.id)}
          />
        ),
      },
      ...kindColumns(kind, q, tAccount),
      {
        id: 'keys',
        header: t('apiKeys'),
        width: '13%',
        cell: (account) => <KeysCell account={account} />,
      },
      { id: 'tags', header: tAccount('tags'), cell: (account) => <TagsCell tags={account.tags} /> },
      lastConnectedColumn(kind, t),
      {
        id: 'status',
        header: t('status'),
        width: '8%',
        narrow: 'aside',
        cell: (account) => <AccountState state={account.state} />,
      },
    ];
  }, [kind, q, open, language]);
}
