import { NativeSelect, SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import classes from './accounts.module.css';
import { accountsWords } from './accounts.words.ts';
import { type AccountKind, accountSummaryQuery } from './accounts-queries.ts';
import { ACCOUNT_FILTERS, type AccountFilter, type AccountListState } from './list-state.ts';

/** Orders that a telephone offers in words, because its cards have no heads to click. */
const ORDERS = [
  { name: 'name', sort: 'name', order: 'asc' },
  { name: 'login', sort: 'login', order: 'asc' },
  { name: 'lastConnected', sort: 'lastSeenAt', order: 'desc' },
  { name: 'newest', sort: 'createdAt', order: 'desc' },
] as const;

/** All, active, disabled, keys in trouble, each with how many the search leaves of it. */
export function ListFilters(props: {
  readonly kind: AccountKind;
  readonly state: AccountListState;
  readonly onChange: (next: Partial<ListSearch>) => void;
  readonly children?: ReactNode;
}) {
  const { kind, state, onChange } = props;
  const { t, language } = useWords(accountsWords);
  const { t: tAccount } = useWords(accountWords);
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const { data: summary } = useQuery(accountSummaryQuery(kind, state.q));
  const counts = ACCOUNT_FILTERS.map((filter) => ({
    filter,
    count: summary === undefined ? '' : formatNumber(summary[filter], language),
  }));
  const choose = (filter: string) => onChange({ filter: filter === 'all' ? '' : filter });
  if (isNarrow) {
    const orders = ORDERS.filter(({ sort }) => kind === 'user' || sort !== 'lastSeenAt').map(
      ({ name, sort }) => ({
        value: sort,
        label: name === 'login' ? tAccount(kind === 'user' ? 'email' : 'technicalName') : t(name),
      }),
    );
    return (
      <div className={classes.filters}>
        <div className={classes.narrowFilters}>
          <NativeSelect
            label={t('filter')}
            value={state.filter}
            data={counts.map(({ filter, count }) => ({ value: filter, label: `${t(filter)} ${count}` }))}
            onChange={(event) => choose(event.currentTarget.value)}
          />
          <NativeSelect
            label={t('sortBy')}
            value={state.sort}
            data={orders}
            onChange={(event) => {
              const chosen = ORDERS.find(({ sort }) => sort === event.currentTarget.value);
              if (chosen !== undefined) onChange({ sort: chosen.sort, order: chosen.order });
            }}
          />
        </div>
        {props.children}
      </div>
    );
  }
  return (
    <div className={classes.filters}>
      <SegmentedControl<AccountFilter>
        className={classes.tabs ?? ''}
        aria-label={t('filter')}
        value={state.filter}
        onChange={choose}
        data={counts.map(({ filter, count }) => ({
          value: filter,
          label: (
            <>
              {t(filter)}
              <span className={classes.count}>{count}</span>
            </>
          ),
        }))}
      />
      {props.children}
    </div>
  );
}
