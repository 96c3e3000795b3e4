import type { PackagePrefix } from '@keyreeve/sdk';
import { IconLockOpen, IconLockSquare, IconPlus, IconUsers } from '@tabler/icons-react';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { NotFoundPage } from '../../app/fault-pages.tsx';
import { useWords } from '../../i18n/words.tsx';
import { AccountName } from '../../ui/account-mark.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Page } from '../../ui/page.tsx';
import { Pager, readRows } from '../../ui/pager.tsx';
import { RowActions } from '../../ui/row-actions.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Day } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { useShownPage } from '../../ui/use-shown-page.ts';
import { PackagesTabs } from '../packages/packages-tabs.tsx';
import { PrefixDialog, type PrefixDialogProps } from './prefix-dialog.tsx';
import classes from './prefixes.module.css';
import { prefixesWords } from './prefixes.words.ts';
import { prefixesQuery, releasePrefix } from './prefixes-queries.ts';

const ACCOUNTS_SHOWN = 4;

/** Ids that only some accounts may give to new packages, for administrators. */
export function PrefixesPage() {
  return useIsAdmin() ? <Prefixes /> : <NotFoundPage />;
}

function Prefixes() {
  const { t } = useWords(prefixesWords);
  const [subject, setSubject] = useState<PrefixDialogProps['subject']>(null);
  const [doomed, setDoomed] = useState<PackagePrefix | null>(null);
  const reserve = (
    <ActionButton
      leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />}
      onClick={() => setSubject('new')}
    >
      {t('reserve')}
    </ActionButton>
  );
  return (
    <Page title={t('title')} actions={reserve}>
      <PackagesTabs />
      <p className={classes.text}>{t('text')}</p>
      <List subject={subject} onChange={setSubject} onRelease={setDoomed} onClose={() => setSubject(null)} />
      <ReleaseDialog prefix={doomed} onClose={() => setDoomed(null)} />
    </Page>
  );
}

function List(props: {
  readonly subject: PrefixDialogProps['subject'];
  readonly onChange: (prefix: PackagePrefix) => void;
  readonly onRelease: (prefix: PackagePrefix) => void;
  readonly onClose: () => void;
}) {
  const { subject, onClose } = props;
  const { t } = useWords(prefixesWords);
  const search = useSearch({ from: '/shell/reserved-ids' });
  const navigate = useNavigate();
  const rows = readRows(search.rows);
  const pages = useCursorPages(String(rows));
  const query = useQuery({ ...prefixesQuery(rows, pages.cursor), placeholderData: keepPreviousData });
  const { page, index, from, turn } = useShownPage(query, pages, rows);
  const latest = (prefix: PackagePrefix) => page?.items.find(({ id }) => id === prefix.id) ?? prefix;
  const dialog = (
    <PrefixDialog
      subject={subject === null || subject === 'new' ? subject : latest(subject)}
      onClose={onClose}
    />
  );
  if (page === undefined)
    return query.isError ? (
      <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows height={46} />
    );
  const { items, nextCursor } = page;
  if (items.length === 0 && index === 0)
    return (
      <>
        <EmptyState
          icon={<IconLockSquare size={20} stroke={1.75} aria-hidden />}
          title={t('emptyTitle')}
          text={t('emptyText')}
        />
        {dialog}
      </>
    );
  return (
    <>
      <div className={classes.frame}>
        <PrefixesTable items={items} onChange={props.onChange} onRelease={props.onRelease} />
      </div>
      <Pager
        from={from}
        count={items.length}
        total={null}
        rows={rows}
        onRows={(next) =>
          void navigate({ to: '/reserved-ids', search: { ...search, rows: next }, replace: true })
        }
        onPrevious={index === 0 ? null : turn(pages.back)}
        onNext={nextCursor === null ? null : turn(() => pages.forward(nextCursor))}
      />
      {dialog}
    </>
  );
}

function Accounts({ value }: { readonly value: PackagePrefix }) {
  const { t } = useWords(prefixesWords);
  const { accounts } = value;
  if (accounts.length === 0) return <span className="kr-dimmed">{t('nobody')}</span>;
  const more = accounts.length - ACCOUNTS_SHOWN;
  return (
    <span className={classes.accounts}>
      {accounts.slice(0, ACCOUNTS_SHOWN).map(({ id, displayName, kind }) => (
        <AccountName key={id} name={displayName} kind={kind} />
      ))}
      {more > 0 && <span className="kr-dimmed kr-small">{t('more', { count: more })}</span>}
    </span>
  );
}

function PrefixesTable(props: {
  readonly items: readonly PackagePrefix[];
  readonly onChange: (prefix: PackagePrefix) => void;
  readonly onRelease: (prefix: PackagePrefix) => void;
}) {
  const { t } = useWords(prefixesWords);
  const columns: readonly Column<PackagePrefix>[] = [
    {
      id: 'pattern',
      header: t('pattern'),
      width: '34%',
      narrow: 'title',
      cell: ({ pattern }) => <Truncate text={pattern} isMono />,
    },
    { id: 'accounts', header: t('accounts'), cell: (value) => <Accounts value={value} /> },
    { id: 'since', header: t('since'), width: '126px', cell: ({ createdAt }) => <Day at={createdAt} /> },
  ];
  const actionsOf = (value: PackagePrefix) => [
    {
      id: 'change',
      label: t('changeOf', { pattern: value.pattern }),
      short: t('change'),
      icon: <IconUsers size={16} stroke={1.75} />,
      onClick: () => props.onChange(value),
    },
    {
      id: 'release',
      label: t('releaseOf', { pattern: value.pattern }),
      short: t('release'),
      icon: <IconLockOpen size={16} stroke={1.75} />,
      onClick: () => props.onRelease(value),
    },
  ];
  return (
    <Table
      label={t('title')}
      columns={columns}
      rows={props.items}
      keyOf={(value) => value.id}
      actionsHeader={t('actions')}
      actions={(value) => <RowActions label={value.pattern} actions={actionsOf(value)} />}
    />
  );
}

function ReleaseDialog(props: { readonly prefix: PackagePrefix | null; readonly onClose: () => void }) {
  const { prefix, onClose } = props;
  const { t } = useWords(prefixesWords);
  useReturnFocus(prefix !== null);
  const release = useMutation({
    mutationFn: async (value: PackagePrefix) => await releasePrefix(value.id),
    onSuccess: (_data, { pattern }) => notifyDone(t('released', { pattern })),
    onError: notifyFailure,
    onSettled: onClose,
  });
  return (
    <ConfirmDialog
      isOpen={prefix !== null}
      onClose={onClose}
      title={t('releaseTitle', { pattern: prefix?.pattern ?? '' })}
      verb={t('release')}
      isBusy={release.isPending}
      onConfirm={() => {
        if (prefix !== null) release.mutate(prefix);
      }}
    >
      <p>{t('releaseText')}</p>
    </ConfirmDialog>
  );
}
