import { Button, Loader } from '@mantine/core';
import {
  IconArchive,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconClockExclamation,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { sayFault } from '../../errors/describe-error.ts';
import { formatNumber } from '../../format/dates.ts';
import { currentLanguage } from '../../i18n/i18n.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { wordNotice } from '../../ui/notice-texts.ts';
import { notifyProblem } from '../../ui/notify.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { MailDialog } from './mail-dialog.tsx';
import { MailFateDialog } from './mail-fate-dialog.tsx';
import { readReason } from './mail-reason.ts';
import classes from './mails.module.css';
import { mailsWords } from './mails.words.ts';
import { type Mail, openMail, type SealedMail } from './mails-queries.ts';

const ICON = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** Has been tried, and waits for the next try. */
function isRetrying(mail: Mail): boolean {
  return mail.state === 'pending' && mail.attempts > 0;
}

function StateIcon({ mail }: { readonly mail: Mail }) {
  if (mail.state === 'sent') return <IconCircleCheck {...ICON} className="kr-green" />;
  if (mail.state === 'failed') return <IconCircleX {...ICON} className="kr-red" />;
  if (mail.state === 'mailbox') return <IconArchive {...ICON} className="kr-dimmed" />;
  return isRetrying(mail) ? (
    <IconClockExclamation {...ICON} className="kr-amber" />
  ) : (
    <IconClock {...ICON} className="kr-dimmed" />
  );
}

function StateCell({ mail }: { readonly mail: Mail }) {
  const { t } = useWords(mailsWords);
  const isFailed = mail.state === 'failed';
  const reason = isFailed && mail.lastError !== null ? t(`reason${readReason(mail.lastError).reason}`) : null;
  return (
    <span className={classes.state}>
      <StateIcon mail={mail} />
      <span className={classes.stateWords}>
        <span className={isFailed ? 'kr-red' : ''}>{t(mail.state)}</span>
        {reason !== null && <span className={`${classes.second} kr-small kr-secondary`}>{reason}</span>}
        {isRetrying(mail) && (
          <span className={`${classes.second} kr-small kr-secondary`}>{t('retrying')}</span>
        )}
      </span>
    </span>
  );
}

function useColumns(): readonly Column<Mail>[] {
  const { t, language } = useWords(mailsWords);
  return [
    {
      id: 'subject',
      header: t('subject'),
      narrow: 'title',
      cell: (mail) => (
        <>
          <Truncate text={mail.subject} className={classes.subject ?? ''} />
          <span className="kr-small kr-dimmed">{wordNotice(mail.kind, language)}</span>
        </>
      ),
    },
    {
      id: 'to',
      header: t('to'),
      width: '24%',
      cell: ({ to }) => (
        <>
          <Truncate text={to.name} />
          <Truncate text={to.address} className="kr-small kr-dimmed" />
        </>
      ),
    },
    { id: 'state', header: t('state'), width: '21%', cell: (mail) => <StateCell mail={mail} /> },
    {
      id: 'tries',
      header: t('tries'),
      width: '76px',
      cell: ({ attempts }) => formatNumber(attempts, language),
    },
    {
      id: 'written',
      header: t('written'),
      width: '124px',
      cell: ({ createdAt }) => <Recent at={createdAt} />,
    },
  ];
}

/** Opening a mail is written down, so it happens on request alone. */
function OpenButton(props: { readonly mail: Mail; readonly onOpened: (sealed: SealedMail) => void }) {
  const { mail, onOpened } = props;
  const { t } = useWords(mailsWords);
  const open = useMutation({
    mutationFn: () => openMail(mail.id),
    onSuccess: onOpened,
    onError: (error) => notifyProblem(sayFault(error, currentLanguage())),
  });
  return (
    <ActionButton
      size="xs"
      variant="default"
      aria-label={t('openOf', { subject: mail.subject })}
      // Not `loading`: a button that is off loses the focus, to which the dialog must lead back.
      aria-busy={open.isPending}
      leftSection={open.isPending ? <Loader size={12} /> : null}
      onClick={() => {
        if (!open.isPending) open.mutate();
      }}
    >
      {t('open')}
    </ActionButton>
  );
}

/** The mails; of each that was not sent, what it says or why. */
export function MailsTable(props: { readonly items: readonly Mail[] }) {
  const { t } = useWords(mailsWords);
  const [opened, setOpened] = useState<{ readonly mail: Mail; readonly sealed: SealedMail } | null>(null);
  const [asked, setAsked] = useState<Mail | null>(null);
  return (
    <>
      <Table
        label={t('list')}
        columns={useColumns()}
        rows={props.items}
        keyOf={(mail) => mail.id}
        actionsHeader={t('actions')}
        actions={(mail) => {
          if (mail.state === 'mailbox')
            return <OpenButton mail={mail} onOpened={(sealed) => setOpened({ mail, sealed })} />;
          if (mail.state !== 'failed' && !isRetrying(mail)) return null;
          return (
            <Button
              size="xs"
              variant="default"
              aria-label={t('whyOf', { subject: mail.subject })}
              onClick={() => setAsked(mail)}
            >
              {t('why')}
            </Button>
          );
        }}
      />
      <MailDialog opened={opened} onClose={() => setOpened(null)} />
      <MailFateDialog mail={asked} onClose={() => setAsked(null)} />
    </>
  );
}
