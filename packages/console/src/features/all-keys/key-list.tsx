import { Button } from '@mantine/core';
import { IconFilterOff, IconKey, IconListSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import { Pager } from '../../ui/pager.tsx';
import { EmptyState, LoadFailed, NothingFound, SkeletonRows } from '../../ui/states.tsx';
import { useShownPage } from '../../ui/use-shown-page.ts';
import { KeyDialogs } from '../keys/key-dialogs.tsx';
import type { KeyRequest } from '../keys/key-request.ts';
import classes from './all-keys.module.css';
import { allKeysWords } from './all-keys.words.ts';
import { isFiltered, type KeyListState, keysQuery } from './all-keys-query.ts';
import type { ChangeList } from './key-filters.tsx';
import { KeysTable } from './keys-table.tsx';

/** The rows with everything around them: nothing yet, nothing found, not loaded, pages, dialogs. */
export function KeyList(props: { readonly state: KeyListState; readonly onChange: ChangeList }) {
  const { state, onChange } = props;
  const [request, setRequest] = useState<KeyRequest | null>(null);
  const pages = useCursorPages(JSON.stringify(state));
  const query = useQuery({ ...keysQuery(state, pages.cursor), placeholderData: keepPreviousData });
  const { page, index, from, turn } = useShownPage(query, pages, state.rows);
  // Rows that are there stay, also when asking again has failed: somebody may be in a dialog over them.
  if (page === undefined)
    return query.isError ? (
      <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows height={58} />
    );
  const { items, nextCursor } = page;
  const forward = nextCursor === null ? null : turn(() => pages.forward(nextCursor));
  return (
    <>
      {items.length === 0 ? (
        <NoKeys state={state} onChange={onChange} onReadOn={forward} />
      ) : (
        <div className={classes.frame}>
          <KeysTable
            items={items}
            sort={state.sort}
            onSort={(sort) => onChange({ sort })}
            onRequest={setRequest}
          />
        </div>
      )}
      {(items.length > 0 || index > 0) && (
        <Pager
          from={from}
          count={items.length}
          total={null}
          rows={state.rows}
          onRows={(rows) => onChange({ rows })}
          onPrevious={index === 0 ? null : turn(pages.back)}
          onNext={forward}
        />
      )}
      <KeyDialogs request={request} onClose={() => setRequest(null)} />
    </>
  );
}

function NoKeys(props: {
  readonly state: KeyListState;
  readonly onChange: ChangeList;
  readonly onReadOn: (() => void) | null;
}) {
  const { state, onChange, onReadOn } = props;
  const { t } = useWords(allKeysWords);
  // A filter by last use reads so many keys at a time; none among those does not mean none at all.
  if (onReadOn !== null)
    return (
      <EmptyState
        icon={<IconListSearch size={20} stroke={1.75} aria-hidden />}
        title={t('partTitle')}
        text={t('partText')}
        action={<Button onClick={onReadOn}>{t('readOn')}</Button>}
      />
    );
  if (state.q !== '')
    return (
      <NothingFound
        q={state.q}
        title={t('nothingTitle', { q: state.q })}
        text={t('nothingText')}
        onClear={() => onChange({ q: undefined })}
      />
    );
  if (isFiltered(state))
    return (
      <EmptyState
        icon={<IconFilterOff size={20} stroke={1.75} aria-hidden />}
        title={t('noneTitle')}
        text={t('noneText')}
        action={
          <Button
            variant="default"
            onClick={() => onChange({ filter: undefined, account: undefined, over: undefined })}
          >
            {t('noneButton')}
          </Button>
        }
      />
    );
  return (
    <EmptyState
      icon={<IconKey size={20} stroke={1.75} aria-hidden />}
      title={t('emptyTitle')}
      text={t('emptyText')}
      action={
        <Button component={Link} to="/my-keys">
          {t('toMyKeys')}
        </Button>
      }
    />
  );
}
