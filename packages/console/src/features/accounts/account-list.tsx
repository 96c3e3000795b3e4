import { Button } from '@mantine/core';
import { IconFilterOff, IconRobotFace, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useDeferredValue, useRef, useState } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { Pager } from '../../ui/pager.tsx';
import { EmptyState, LoadFailed, NothingFound, SkeletonRows } from '../../ui/states.tsx';
import { DeleteAccountDialog, DisableAccountDialog } from './account-dialogs.tsx';
import classes from './accounts.module.css';
import { accountsWords } from './accounts.words.ts';
import { type Account, type AccountKind, accountSummaryQuery, accountsQuery } from './accounts-queries.ts';
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
  return { pages, query, total: summary?.[state.filter] ?? null };
}

/** The rows of a list with everything around them: nothing yet, nothing found, not loaded, pages, deletion. */
export function AccountList(props: AccountListProps) {
  const { kind, state, onChange } = props;
  const { pages, query, total } = useAccountPages(kind, state);
  // The answer is drawn between clicks and keys, not before them.
  const page = useDeferredValue(query.data);
  const isAdmin = useIsAdmin();
  const frame = useRef<HTMLDivElement>(null);
  const [deleting, setDeleting] = useState<Account | null>(null);
  const [disabling, setDisabling] = useState<Account | null>(null);
  const sortBy = useRef(onChange);
  sortBy.current = onChange;
  // The same function for every drawing, or each of them would draw all rows anew.
  const sort = useCallback((sorting: Partial<ListSearch>) => sortBy.current(sorting), []);
  if (query.isError) return <LoadFailed error={query.error} onRetry={() => void query.refetch()} />;
  if (page === undefined)
    return (
      <div className={classes.frame}>
        <SkeletonRows rows={10} />
      </div>
    );
  const { items, nextCursor } = page;
  if (items.length === 0 && pages.index === 0)
    return (
      <div className={classes.frame}>
        <NoAccounts {...props} />
      </div>
    );
  const turn = (step: () => void) => {
    step();
    globalThis.scrollTo({ top: 0 });
  };
  return (
    <>
      <div
        ref={frame}
        tabIndex={-1}
        className={classes.frame}
        data-stale={(query.isPlaceholderData && query.isFetching) || undefined}
      >
        <AccountsTable kind={kind} page={page} onSort={sort} onDelete={isAdmin ? setDeleting : null} />
      </div>
      {state.q !== '' && pages.index === 0 && nextCursor === null ? (
        <Matches kind={kind} q={state.q} count={items.length} />
      ) : (
        <Pager
          from={pages.index * state.rows + 1}
          count={items.length}
          total={total}
          rows={state.rows}
          onRows={(rows) => onChange({ rows })}
          onPrevious={pages.index === 0 ? null : () => turn(pages.back)}
          onNext={nextCursor === null ? null : () => turn(() => pages.forward(nextCursor))}
        />
      )}
      <DeleteAccountDialog
        account={deleting}
        onClose={() => setDeleting(null)}
        // The row that opened the dialog is gone; the list takes the focus instead.
        onDeleted={() => frame.current?.focus()}
        onDisable={setDisabling}
      />
      <DisableAccountDialog account={disabling} onClose={() => setDisabling(null)} />
    </>
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

function NoAccounts({ kind, state, onChange, create }: AccountListProps) {
  const { t } = useWords(accountsWords);
  const isAdmin = useIsAdmin();
  const { q, filter } = state;
  if (q !== '') {
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
  if (filter !== 'all') {
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
