import { Button } from '@mantine/core';
import { IconFilterOff, IconRobotFace, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { type CursorPages, useCursorPages } from '../../ui/cursor-pages.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { Pager } from '../../ui/pager.tsx';
import { EmptyState, LoadFailed, NothingFound, SkeletonRows } from '../../ui/states.tsx';
import { type ShownPage, useShownPage } from '../../ui/use-shown-page.ts';
import { DeleteAccountDialog, DisableAccountDialog } from './account-dialogs.tsx';
import classes from './accounts.module.css';
import { accountsWords } from './accounts.words.ts';
import {
  type Account,
  type AccountKind,
  type AccountListQuery,
  type AccountPage,
  accountSummaryQuery,
  accountsQuery,
} from './accounts-queries.ts';
import { AccountsTable } from './accounts-table.tsx';
import { type AccountListState, toListQuery } from './list-state.ts';

interface AccountListProps {
  readonly kind: AccountKind;
  readonly state: AccountListState;
  readonly onChange: (next: Partial<ListSearch>) => void;
  /** The way out of an empty list. */
  readonly create: ReactNode;
}

function useAccountPages(kind: AccountKind, state: AccountListState) {
  const pages = useCursorPages(JSON.stringify([kind, state]));
  const query = useQuery({
    ...accountsQuery(kind, toListQuery(state, pages.cursor)),
    placeholderData: keepPreviousData,
  });
  const { data: summary } = useQuery(accountSummaryQuery(kind, state.q));
  const shown = useShownPage(query, pages, state.rows);
  return { pages, query, shown, total: summary?.[state.filter] ?? null };
}

/**
 * The row that opened the dialog goes with its account, before or after the dialog has closed. Whatever then has
 * no focus of its own leaves it to the list.
 */
function useFocusAfterDeletion(isAsking: boolean, page: AccountPage | undefined) {
  const frame = useRef<HTMLElement>(null);
  const hasDeleted = useRef(false);
  useEffect(() => {
    if (!hasDeleted.current || isAsking || page === undefined) return;
    const focused = document.activeElement;
    if (focused !== document.body && focused?.id !== 'content') return;
    hasDeleted.current = false;
    frame.current?.focus();
  }, [isAsking, page]);
  const noteDeleted = () => {
    hasDeleted.current = true;
  };
  return { frame, noteDeleted };
}

/** The rows of a list with everything around them: nothing yet, nothing found, not loaded, pages, deletion. */
export function AccountList(props: AccountListProps) {
  const { kind, state, onChange } = props;
  const { t } = useWords(accountsWords);
  const { pages, query, shown, total } = useAccountPages(kind, state);
  const { page, isStale } = shown;
  const isAdmin = useIsAdmin();
  const [deleting, setDeleting] = useState<Account | null>(null);
  const { frame, noteDeleted } = useFocusAfterDeletion(deleting !== null, page);
  const [disabling, setDisabling] = useState<Account | null>(null);
  const sortBy = useRef(onChange);
  sortBy.current = onChange;
  // The same function for every drawing, or each of them would draw all rows anew.
  const sort = useCallback((sorting: Partial<ListSearch>) => sortBy.current(sorting), []);
  const isEmpty = page?.items.length === 0 && shown.index === 0;
  return (
    <>
      <section
        ref={frame}
        tabIndex={-1}
        aria-label={kind === 'user' ? t('users') : t('serviceAccounts')}
        className={classes.frame}
        data-stale={(isStale && query.isFetching) || undefined}
      >
        {page === undefined ? (
          query.isError ? (
            <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
          ) : (
            <SkeletonRows rows={10} />
          )
        ) : isEmpty ? (
          <NoAccounts {...props} query={page.query} />
        ) : (
          <AccountsTable kind={kind} page={page} onSort={sort} onDelete={isAdmin ? setDeleting : null} />
        )}
      </section>
      {page !== undefined && !isEmpty && (
        <Foot {...props} shown={shown} pages={pages} total={total} page={page} />
      )}
      <DeleteAccountDialog
        account={deleting}
        onClose={() => setDeleting(null)}
        onDeleted={noteDeleted}
        onDisable={setDisabling}
      />
      <DisableAccountDialog account={disabling} onClose={() => setDisabling(null)} />
    </>
  );
}

/** Where one is in the list and the way on; of a search that fits on one page, how many it has found. */
function Foot(
  props: AccountListProps & {
    readonly page: AccountPage;
    readonly shown: ShownPage<AccountPage>;
    readonly total: number | null;
    readonly pages: CursorPages;
  },
) {
  const { kind, page, pages, onChange } = props;
  const { index, from, turn } = props.shown;
  const { items, nextCursor, query } = page;
  if (query.q !== undefined && index === 0 && nextCursor === null)
    return <Matches kind={kind} q={query.q} count={items.length} />;
  return (
    <Pager
      from={from}
      count={items.length}
      total={props.total}
      rows={props.state.rows}
      onRows={(rows) => onChange({ rows })}
      onPrevious={index === 0 ? null : turn(pages.back)}
      onNext={nextCursor === null ? null : turn(() => pages.forward(nextCursor))}
    />
  );
}

function Matches(props: { readonly kind: AccountKind; readonly q: string; readonly count: number }) {
  const { t, language } = useWords(accountsWords);
  const word = props.kind === 'user' ? 'matchUsers' : 'matchServices';
  return (
    <p className={`${classes.footer} kr-secondary`} role="status">
      {t(word, { count: props.count, n: formatNumber(props.count, language), q: props.q })}
    </p>
  );
}

/** Says of which question there is no answer: that of the page, which may be older than what is typed by now. */
function NoAccounts({
  kind,
  query,
  onChange,
  create,
}: AccountListProps & { readonly query: AccountListQuery }) {
  const { t } = useWords(accountsWords);
  const isAdmin = useIsAdmin();
  const { q } = query;
  if (q !== undefined) {
    const isUsers = kind === 'user';
    return (
      <NothingFound
        q={q}
        title={isUsers ? t('noUserMatches', { q }) : t('noServiceMatches', { q })}
        text={isUsers ? t('usersSearched') : t('servicesSearched')}
        onClear={() => onChange({ q: '' })}
      />
    );
  }
  const filter = query.attention === true ? 'attention' : query.state;
  if (filter !== undefined) {
    const titles = { active: 'noneActive', disabled: 'noneDisabled', attention: 'noneAttention' } as const;
    return (
      <EmptyState
        icon={<IconFilterOff size={20} stroke={1.75} aria-hidden />}
        title={t(titles[filter])}
        text={filter === 'attention' ? t('noneAttentionText') : t('noneOfFilterText')}
        action={
          <Button variant="default" onClick={() => onChange({ filter: '' })}>
            {t('showAllAccounts')}
          </Button>
        }
      />
    );
  }
  const Icon = kind === 'user' ? IconUserPlus : IconRobotFace;
  return (
    <EmptyState
      icon={<Icon size={20} stroke={1.75} aria-hidden />}
      title={t('noServices')}
      text={isAdmin ? t('noServicesText') : t('noManagedText')}
      action={create}
    />
  );
}
