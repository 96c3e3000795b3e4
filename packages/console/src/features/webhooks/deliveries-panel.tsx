import { IconCircleCheck, IconCircleX, IconClock } from '@tabler/icons-react';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { formatInstant, formatNumber, formatRelative } from '../../format/dates.ts';
import { say, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Pager, ROW_CHOICES } from '../../ui/pager.tsx';
import { Panel } from '../../ui/panel.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { useNow } from '../../ui/use-now.ts';
import { useShownPage } from '../../ui/use-shown-page.ts';
import { wordEvent } from './event-texts.ts';
import classes from './webhooks.module.css';
import { webhooksWords } from './webhooks.words.ts';
import { type Delivery, deliveriesQuery, replayDelivery, type Webhook } from './webhooks-queries.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

const ERROR_WORDS = {
  refused_address: 'errorAddress',
  unreachable: 'errorUnreachable',
  timeout: 'errorTimeout',
  tls: 'errorTls',
  status: 'errorStatus',
  disabled: 'errorDisabled',
  internal: 'errorInternal',
} as const;

function isKnownError(error: string): error is keyof typeof ERROR_WORDS {
  return Object.hasOwn(ERROR_WORDS, error);
}

function ResultCell({ value }: { readonly value: Delivery }) {
  const { t, language } = useWords(webhooksWords);
  const now = useNow();
  const { state, lastError, lastStatus, nextAttemptAt } = value;
  const second = [
    lastError === null ? null : isKnownError(lastError) ? t(ERROR_WORDS[lastError]) : lastError,
    lastStatus === null ? null : t('status', { status: String(lastStatus) }),
    nextAttemptAt === null || value.attempts === 0
      ? null
      : t('nextTry', { when: formatRelative(nextAttemptAt, now, language) }),
  ].filter((part) => part !== null);
  return (
    <span className={classes.state}>
      {state === 'sent' && <IconCircleCheck {...ICON} className="kr-green" />}
      {state === 'failed' && <IconCircleX {...ICON} className="kr-red" />}
      {state === 'pending' && <IconClock {...ICON} className="kr-dimmed" />}
      <span className={classes.stateWords}>
        {t(state)}
        {second.length > 0 && (
          <span className={`${classes.second} kr-small kr-secondary`}>{second.join(' · ')}</span>
        )}
      </span>
    </span>
  );
}

function useColumns(): readonly Column<Delivery>[] {
  const { t, language } = useWords(webhooksWords);
  return [
    {
      id: 'event',
      header: t('event'),
      narrow: 'title',
      cell: ({ eventType, eventId }) => (
        <>
          {wordEvent(eventType, language)}
          <Truncate text={eventId} isMono className="kr-small kr-dimmed" />
        </>
      ),
    },
    { id: 'result', header: t('result'), width: '36%', cell: (value) => <ResultCell value={value} /> },
    {
      id: 'tries',
      header: t('tries'),
      width: '84px',
      cell: ({ attempts }) => formatNumber(attempts, language),
    },
    { id: 'at', header: t('at'), width: '126px', cell: ({ createdAt }) => <Recent at={createdAt} /> },
  ];
}

function ReplayButton(props: { readonly webhook: Webhook; readonly value: Delivery }) {
  const { webhook, value } = props;
  const { t, language } = useWords(webhooksWords);
  const replay = useMutation({
    mutationFn: () => replayDelivery(webhook.id, value.id),
    onSuccess: () => notifyDone(say(webhooksWords, 'replayed')),
    onError: notifyFailure,
  });
  const name = {
    event: wordEvent(value.eventType, language),
    instant: formatInstant(value.createdAt, language),
  };
  return (
    <ActionButton
      size="xs"
      variant="default"
      aria-label={t('replayOf', name)}
      disabled={webhook.state !== 'active' || value.state === 'pending'}
      loading={replay.isPending}
      onClick={() => replay.mutate()}
    >
      {t('replay')}
    </ActionButton>
  );
}

/** What was sent, how it fared, and the way to send it again. */
export function DeliveriesPanel({ value }: { readonly value: Webhook }) {
  const { t } = useWords(webhooksWords);
  const [rows, setRows] = useState<number>(ROW_CHOICES[0]);
  const pages = useCursorPages(`${value.id} ${rows}`);
  const query = useQuery({
    ...deliveriesQuery(value.id, rows, pages.cursor),
    placeholderData: keepPreviousData,
  });
  const { page, index, from, turn } = useShownPage(query, pages, rows);
  const columns = useColumns();
  const items = page?.items ?? [];
  const nextCursor = page?.nextCursor ?? null;
  return (
    <Panel title={t('deliveries')} description={t('deliveriesText')} isFlush>
      {page === undefined &&
        (query.isError ? (
          <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <SkeletonRows rows={3} />
        ))}
      {page !== undefined && items.length === 0 && <p className={classes.none}>{t('noDeliveries')}</p>}
      {items.length > 0 && (
        <Table
          label={t('deliveries')}
          columns={columns}
          rows={items}
          keyOf={(delivery) => delivery.id}
          actionsHeader={t('actions')}
          actions={(delivery) => <ReplayButton webhook={value} value={delivery} />}
        />
      )}
      {(index > 0 || nextCursor !== null) && (
        <div className={classes.pager}>
          <Pager
            from={from}
            count={items.length}
            total={null}
            rows={rows}
            onRows={setRows}
            onPrevious={index === 0 ? null : turn(pages.back)}
            onNext={nextCursor === null ? null : turn(() => pages.forward(nextCursor))}
          />
        </div>
      )}
    </Panel>
  );
}
