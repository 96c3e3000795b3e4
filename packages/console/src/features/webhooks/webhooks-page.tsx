import { Alert } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconPlus, IconWebhook } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { NotFoundPage } from '../../app/fault-pages.tsx';
import { Rich, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Page } from '../../ui/page.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Day } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { FreshWebhookSecret } from './fresh-secret.tsx';
import { NewWebhookDialog } from './new-webhook-dialog.tsx';
import { isStopped, WebhookState } from './webhook-state.tsx';
import classes from './webhooks.module.css';
import { webhooksWords } from './webhooks.words.ts';
import { type SealedWebhook, type Webhook, webhooksQuery } from './webhooks-queries.ts';

export function WebhooksPage() {
  return useIsAdmin() ? <Webhooks /> : <NotFoundPage />;
}

function Webhooks() {
  const { t } = useWords(webhooksWords);
  const { data, error, refetch } = useQuery(webhooksQuery);
  const [isCreating, creating] = useDisclosure(false);
  const [fresh, setFresh] = useState<SealedWebhook | null>(null);
  const navigate = useNavigate();
  const closeSecret = () => {
    const id = fresh?.webhook.id;
    setFresh(null);
    if (id !== undefined) void navigate({ to: '/webhooks/$id', params: { id }, ignoreBlocker: true });
  };
  const newButton = (
    <ActionButton leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />} onClick={creating.open}>
      {t('newWebhook')}
    </ActionButton>
  );
  return (
    <Page title={t('title')} {...(data?.length === 0 ? {} : { actions: newButton })}>
      {data === undefined && error === null && <SkeletonRows height={58} />}
      {data === undefined && error !== null && <LoadFailed error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && (
        <EmptyState
          icon={<IconWebhook size={20} stroke={1.75} aria-hidden />}
          title={t('emptyTitle')}
          text={t('emptyText')}
          action={newButton}
        />
      )}
      {data !== undefined && data.length > 0 && <List items={data} />}
      <NewWebhookDialog isOpen={isCreating} onClose={creating.close} onCreated={setFresh} />
      <FreshWebhookSecret sealed={fresh} title={t('secretTitle')} onClose={closeSecret} />
    </Page>
  );
}

function List({ items }: { readonly items: readonly Webhook[] }) {
  const { t } = useWords(webhooksWords);
  const stopped = items.filter(isStopped).length;
  const columns: readonly Column<Webhook>[] = [
    { id: 'address', header: t('address'), narrow: 'title', cell: (value) => <Address value={value} /> },
    {
      id: 'events',
      header: t('events'),
      width: '110px',
      cell: ({ eventTypes }) =>
        eventTypes.length === 0 ? t('allEvents') : t('eventCount', { count: eventTypes.length }),
    },
    { id: 'created', header: t('created'), width: '126px', cell: ({ createdAt }) => <Day at={createdAt} /> },
    { id: 'state', header: t('state'), width: '26%', cell: (value) => <WebhookState value={value} /> },
  ];
  return (
    <>
      {stopped > 0 && (
        <Alert
          className={classes.alert ?? ''}
          color="red"
          role="status"
          icon={<IconAlertTriangle size={18} stroke={1.75} aria-hidden />}
        >
          <Rich
            words={webhooksWords}
            k="stoppedCount"
            values={{ count: stopped }}
            parts={{ b: <strong /> }}
          />
        </Alert>
      )}
      <div className={classes.frame}>
        <Table
          label={t('title')}
          columns={columns}
          rows={items}
          keyOf={(value) => value.id}
          isDimmed={(value) => value.state === 'disabled' && !isStopped(value)}
        />
      </div>
    </>
  );
}

function Address({ value }: { readonly value: Webhook }) {
  return (
    <>
      <Link to="/webhooks/$id" params={{ id: value.id }} className={classes.address}>
        <Truncate text={value.url} isMono />
      </Link>
      {value.description !== '' && <Truncate text={value.description} className="kr-small kr-dimmed" />}
    </>
  );
}
