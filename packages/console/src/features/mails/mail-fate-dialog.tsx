import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatInstant, formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { wordNotice } from '../../ui/notice-texts.ts';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { readReason } from './mail-reason.ts';
import classes from './mails.module.css';
import { mailsWords } from './mails.words.ts';
import type { Mail } from './mails-queries.ts';

/** Why a mail was given up or still waits, and what helps. */
export function MailFateDialog(props: { readonly mail: Mail | null; readonly onClose: () => void }) {
  const { mail, onClose } = props;
  const { t } = useWords(mailsWords);
  const { t: tUi } = useWords(uiWords);
  useReturnFocus(mail !== null);
  if (mail === null) return null;
  const isFailed = mail.state === 'failed';
  return (
    <Dialog
      isOpen
      size="medium"
      onClose={onClose}
      title={t(isFailed ? 'failedTitle' : 'pendingTitle')}
      subtitle={<bdi>{mail.subject}</bdi>}
      actions={
        <Button data-autofocus onClick={onClose}>
          {tUi('close')}
        </Button>
      }
    >
      <dl className={classes.facts}>
        <Reason lastError={mail.lastError} />
        <Facts mail={mail} />
      </dl>
      <p className={classes.note}>{t(isFailed ? 'wiped' : 'keepsTrying')}</p>
    </Dialog>
  );
}

function Fact(props: { readonly label: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

function Reason({ lastError }: { readonly lastError: string | null }) {
  const { t } = useWords(mailsWords);
  if (lastError === null) return <Fact label={t('reason')}>{t('askAdmin')}</Fact>;
  const { reason, said } = readReason(lastError);
  return (
    <>
      <Fact label={t('reason')}>
        <strong>{t(`reason${reason}`)}</strong>
      </Fact>
      {said !== null && (
        <Fact label={t('answer')}>
          <bdi className="kr-mono" translate="no">
            {said}
          </bdi>
        </Fact>
      )}
      <Fact label={t('remedy')}>{t(`remedy${reason}`)}</Fact>
    </>
  );
}

function Facts({ mail }: { readonly mail: Mail }) {
  const { t, language } = useWords(mailsWords);
  return (
    <>
      <Fact label={t('kind')}>{wordNotice(mail.kind, language)}</Fact>
      <Fact label={t('to')}>
        <bdi>{mail.to.name}</bdi> <bdi>{mail.to.address}</bdi>
      </Fact>
      <Fact label={t('tries')}>{formatNumber(mail.attempts, language)}</Fact>
      <Fact label={t('createdAt')}>{formatInstant(mail.createdAt, language)}</Fact>
      {mail.state === 'failed' && mail.doneAt !== null && (
        <Fact label={t('doneAt')}>{formatInstant(mail.doneAt, language)}</Fact>
      )}
    </>
  );
}
