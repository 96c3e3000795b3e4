import { Button, Menu } from '@mantine/core';
import { IconChevronDown, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { formatDate } from '../../format/dates.ts';
import { say, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Ago, Day } from '../../ui/time.tsx';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { OneTimeSecret } from '../keys/one-time-secret.tsx';
import type { SecretBox } from '../keys/secret-box.ts';
import {
  createFeedLink,
  deleteFeedLink,
  FEED_LINKS_MAX,
  type FeedLink,
  feedLinksQuery,
} from './feed-links-query.ts';
import { feedsWords } from './feeds.words.ts';
import classes from './profile.module.css';

const PLUS = <IconPlus size={16} stroke={1.75} aria-hidden />;

function useColumns(): readonly Column<FeedLink>[] {
  const { t } = useWords(feedsWords);
  return [
    { id: 'scope', header: t('scope'), narrow: 'title', cell: ({ scope }) => t(scope) },
    { id: 'created', header: t('created'), width: '126px', cell: ({ createdAt }) => <Day at={createdAt} /> },
    {
      id: 'lastUsed',
      header: t('lastUsed'),
      width: '126px',
      cell: ({ lastUsedAt }) =>
        lastUsedAt === null ? <span className="kr-dimmed">{t('never')}</span> : <Ago at={lastUsedAt} />,
    },
  ];
}

/** Makes a link; an administrator chooses whose keys it tells of. */
function NewLink(props: { readonly isFull: boolean; readonly onCreated: (box: SecretBox) => void }) {
  const { isFull, onCreated } = props;
  const { t } = useWords(feedsWords);
  const client = useQueryClient();
  const isAdmin = useIsAdmin();
  const create = useMutation({
    mutationFn: createFeedLink,
    onSuccess: onCreated,
    onError: notifyFailure,
    onSettled: () => client.invalidateQueries(feedLinksQuery),
  });
  const common = { variant: 'default', leftSection: PLUS, loading: create.isPending, disabled: isFull };
  if (!isAdmin)
    return (
      <ActionButton {...common} onClick={() => create.mutate('own')}>
        {t('newLink')}
      </ActionButton>
    );
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionButton {...common} rightSection={<IconChevronDown size={16} stroke={1.75} aria-hidden />}>
          {t('newLink')}
        </ActionButton>
      </Menu.Target>
      <Menu.Dropdown>
        {(['own', 'workspace'] as const).map((scope) => (
          <Menu.Item key={scope} onClick={() => create.mutate(scope)}>
            {t(scope)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function DeleteLink(props: { readonly link: FeedLink | null; readonly onClose: () => void }) {
  const { link, onClose } = props;
  const { t } = useWords(feedsWords);
  useReturnFocus(link !== null);
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: async () => {
      if (link !== null) await deleteFeedLink(link.id);
    },
    onSuccess: () => notifyDone(say(feedsWords, 'deleted')),
    onError: notifyFailure,
    // Gone already is gone too: the list tells.
    onSettled: async () => {
      onClose();
      await client.invalidateQueries(feedLinksQuery);
    },
  });
  return (
    <ConfirmDialog
      isOpen={link !== null}
      onClose={onClose}
      title={t('deleteTitle')}
      verb={t('deleteVerb')}
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>{t('deleteText')}</p>
    </ConfirmDialog>
  );
}

/** Links to the feeds of coming expiries: made, copied once, deleted. */
export function FeedsPanel() {
  const { t, language } = useWords(feedsWords);
  const { data, error, refetch } = useQuery(feedLinksQuery);
  const [fresh, setFresh] = useState<SecretBox | null>(null);
  const [doomed, setDoomed] = useState<FeedLink | null>(null);
  const columns = useColumns();
  const isFull = data !== undefined && data.length >= FEED_LINKS_MAX;
  return (
    <Panel
      title={t('title')}
      description={t('text')}
      isFlush
      actions={<NewLink isFull={isFull} onCreated={setFresh} />}
    >
      {data === undefined && error === null && <SkeletonRows rows={1} />}
      {data === undefined && error !== null && <LoadFailed error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && <p className={classes.none}>{t('none')}</p>}
      {isFull && <p className={classes.none}>{t('limit')}</p>}
      {data !== undefined && data.length > 0 && (
        <Table
          label={t('title')}
          columns={columns}
          rows={data}
          keyOf={(link) => link.id}
          actionsHeader={t('actions')}
          actions={(link) => (
            <Button
              size="xs"
              variant="default"
              aria-label={t('deleteOf', { scope: t(link.scope), date: formatDate(link.createdAt, language) })}
              onClick={() => setDoomed(link)}
            >
              {t('delete')}
            </Button>
          )}
        />
      )}
      <DeleteLink link={doomed} onClose={() => setDoomed(null)} />
      <FreshLink box={fresh} onClose={() => setFresh(null)} />
    </Panel>
  );
}

function FreshLink(props: { readonly box: SecretBox | null; readonly onClose: () => void }) {
  const { t } = useWords(feedsWords);
  return (
    <OneTimeSecret
      {...props}
      title={t('freshTitle')}
      about={t('text')}
      lines={[
        {
          label: t('calendar'),
          hint: t('calendarHint'),
          copy: t('copyCalendar'),
          copied: t('calendarCopied'),
        },
        { label: t('atom'), hint: t('atomHint'), copy: t('copyAtom'), copied: t('atomCopied') },
      ]}
      notices={{ warn: t('warn'), copied: t('copied'), gone: t('gone') }}
      lost={t('lost')}
    />
  );
}
