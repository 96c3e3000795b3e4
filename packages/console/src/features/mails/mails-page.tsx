import { Alert, Button, NativeSelect } from '@mantine/core';
import { IconAlertTriangle, IconFilterOff, IconMail, IconMailOff } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { failedMailsQuery } from '../../api/failed-mails-query.ts';
import { useIsAdmin } from '../../api/session.ts';
import { consoleQuery } from '../../app/console-info.ts';
import { formatNumber } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { useCursorPages } from '../../ui/cursor-pages.ts';
import type { ListSearch } from '../../ui/list-search.ts';
import { Page } from '../../ui/page.tsx';
import { Pager, readRows } from '../../ui/pager.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { useShownPage } from '../../ui/use-shown-page.ts';
import classes from './mails.module.css';
import { mailsWords } from './mails.words.ts';
import { MAIL_STATES, type MailState, mailsQuery } from './mails-queries.ts';
import { MailsTable } from './mails-table.tsx';

type Change = (next: Partial<ListSearch>) => void;

function readState(filter: string | undefined): MailState | null {
  return MAIL_STATES.find((state) => state === filter) ?? null;
}

/** Mails and how they fared: to everybody for administrators, to themselves for members. */
export function MailsPage() {
  const { t } = useWords(mailsWords);
  const isAdmin = useIsAdmin();
  const search = useSearch({ from: '/shell/mails' });
  const navigate = useNavigate();
  const change: Change = (next) =>
    void navigate({ to: '/mails', search: { ...search, ...next }, replace: true });
  const state = readState(search.filter);
  return (
    <Page title={t(isAdmin ? 'title' : 'titleOwn')}>
      {state !== 'failed' && <FailedMails />}
      <NoSmtp />
      <div className={classes.filters}>
        <NativeSelect
          className={classes.select ?? ''}
          aria-label={t('filter')}
          value={state ?? ''}
          data={[{ value: '', label: t('all') }, ...MAIL_STATES.map((value) => ({ value, label: t(value) }))]}
          onChange={(event) => change({ filter: event.currentTarget.value })}
        />
      </div>
      <MailList state={state} rows={readRows(search.rows)} onChange={change} />
    </Page>
  );
}

/** What a list of many sent mails would hide: somebody waits for one that will not come. */
function FailedMails() {
  const { t, language } = useWords(mailsWords);
  const { data } = useQuery(failedMailsQuery);
  if (data === undefined || data.count === 0) return null;
  const { count, isOpen } = data;
  const values = { count, number: formatNumber(count, language) };
  return (
    <Alert
      className={classes.alert ?? ''}
      color="red"
      role="status"
      icon={<IconAlertTriangle size={18} stroke={1.75} aria-hidden />}
    >
      <Rich
        words={mailsWords}
        k={isOpen ? 'failedMany' : 'failedCount'}
        values={values}
        parts={{ b: <strong /> }}
      />{' '}
      {t('failedText')}{' '}
      <Link to="/mails" search={{ filter: 'failed' }} className={classes.alertLink}>
        {t('showFailed')}
      </Link>
    </Alert>
  );
}

/** Where mails go as long as nobody carries them. */
function NoSmtp() {
  const isAdmin = useIsAdmin();
  const { data: info } = useQuery(consoleQuery);
  if (info?.hasSmtp !== false) return null;
  return (
    <Alert
      className={classes.alert ?? ''}
      color="gray"
      icon={<IconMailOff size={18} stroke={1.75} aria-hidden />}
    >
      <Rich words={mailsWords} k="noSmtp" parts={{ b: <strong /> }} />{' '}
      <Rich
        words={mailsWords}
        k={isAdmin ? 'noSmtpAdmin' : 'noSmtpOwn'}
        parts={{
          c: <code className="kr-mono" />,
          a: <a className={classes.alertLink} href="/docs" />,
        }}
      />
    </Alert>
  );
}

function MailList(props: {
  readonly state: MailState | null;
  readonly rows: number;
  readonly onChange: Change;
}) {
  const { state, rows, onChange } = props;
  const pages = useCursorPages(JSON.stringify([state, rows]));
  const query = useQuery({
    ...mailsQuery({ state, limit: rows, cursor: pages.cursor }),
    placeholderData: keepPreviousData,
  });
  const { page, index, from, turn } = useShownPage(query, pages, rows);
  if (page === undefined)
    return query.isError ? (
      <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
    ) : (
      <SkeletonRows height={58} />
    );
  const { items, nextCursor } = page;
  if (items.length === 0 && index === 0) return <NoMails state={page.state} onChange={onChange} />;
  return (
    <>
      <div className={classes.frame}>
        <MailsTable items={items} />
      </div>
      <Pager
        from={from}
        count={items.length}
        total={null}
        rows={rows}
        onRows={(next) => onChange({ rows: next })}
        onPrevious={index === 0 ? null : turn(pages.back)}
        onNext={nextCursor === null ? null : turn(() => pages.forward(nextCursor))}
      />
    </>
  );
}

function NoMails(props: { readonly state: MailState | null; readonly onChange: Change }) {
  const { t } = useWords(mailsWords);
  const { data: info } = useQuery(consoleQuery);
  if (props.state !== null)
    return (
      <EmptyState
        icon={<IconFilterOff size={20} stroke={1.75} aria-hidden />}
        title={t('noneTitle')}
        text={t('noneText')}
        action={
          <Button variant="default" onClick={() => props.onChange({ filter: '' })}>
            {t('showAll')}
          </Button>
        }
      />
    );
  return (
    <EmptyState
      icon={<IconMail size={20} stroke={1.75} aria-hidden />}
      title={t('emptyTitle')}
      text={info?.hasSmtp === false ? `${t('emptyText')} ${t('emptyKept')}` : t('emptyText')}
    />
  );
}
