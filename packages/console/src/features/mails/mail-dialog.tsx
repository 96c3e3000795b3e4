import { Alert, Button } from '@mantine/core';
import { IconEyeOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { consoleQuery } from '../../app/console-info.ts';
import { formatInstant } from '../../format/dates.ts';
import { Rich, say, useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import type { SecretBox } from '../keys/secret-box.ts';
import { useIsSecretGone } from '../keys/use-secret-box.ts';
import classes from './mails.module.css';
import { mailsWords } from './mails.words.ts';
import type { Mail, SealedMail } from './mails-queries.ts';

interface OpenedMail {
  readonly mail: Mail;
  readonly sealed: SealedMail;
}

/** The text of a mail that is kept on the server. */
export function MailDialog(props: { readonly opened: OpenedMail | null; readonly onClose: () => void }) {
  const { opened, onClose } = props;
  useReturnFocus(opened !== null);
  if (opened === null) return null;
  return <MailWindow key={opened.mail.id} {...opened} onClose={onClose} />;
}

function MailWindow({ mail, sealed, onClose }: OpenedMail & { readonly onClose: () => void }) {
  const { t, language } = useWords(mailsWords);
  const { t: tUi } = useWords(uiWords);
  const { box, isMasked } = sealed;
  const isGone = useIsSecretGone(box);
  // Nobody has been here for minutes, or the page was left: whoever comes next opens it for himself.
  useEffect(() => {
    if (isGone) onClose();
  }, [isGone, onClose]);
  return (
    <Dialog
      isOpen
      size="medium"
      onClose={box.wipe}
      title={<bdi>{mail.subject}</bdi>}
      subtitle={
        <>
          <bdi>{mail.to.name}</bdi> · <bdi>{mail.to.address}</bdi> · {formatInstant(mail.createdAt, language)}
        </>
      }
      actions={<Button onClick={box.wipe}>{tUi('close')}</Button>}
    >
      {isMasked && (
        <Alert color="gray" role="note" icon={<IconEyeOff size={18} stroke={1.75} aria-hidden />}>
          <Rich
            words={mailsWords}
            k={mail.accountId === null ? 'maskedNobody' : 'masked'}
            parts={{ b: <strong /> }}
          />
        </Alert>
      )}
      <MailText box={box} language={mail.locale} />
      <p className={classes.note}>{t('audited')}</p>
    </Dialog>
  );
}

/** What the server puts in the place of what gives access. */
const MASK = '••••';

/**
 * A line that is an address of this workspace becomes a link, unless it leads nowhere. All else stays text: a line may
 * begin with a name that somebody gave himself.
 */
function toNode(line: string, origins: readonly string[]): Node {
  const isAddress = /^https?:\/\/\S+$/.test(line) && !line.includes(MASK) && URL.canParse(line);
  if (!isAddress || !origins.includes(new URL(line).origin)) return document.createTextNode(line);
  const link = document.createElement('a');
  link.href = line;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  link.title = say(mailsWords, 'newTab');
  link.textContent = line;
  return link;
}

/**
 * Written into the element past React, which would keep it in its tree: links in it may give access. Mails are shown
 * as text, because the policy of the page lets no text become markup; their HTML says the same.
 */
function MailText(props: { readonly box: SecretBox; readonly language: 'en' | 'ja' }) {
  const { box, language } = props;
  const { t } = useWords(mailsWords);
  const url = useQuery(consoleQuery).data?.url;
  const place = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = place.current;
    const origins =
      url === undefined ? [window.location.origin] : [window.location.origin, new URL(url).origin];
    const lines = box.read('secretKey')?.trimEnd().split('\n') ?? [];
    element?.replaceChildren(
      ...lines.flatMap((line, index) =>
        index === 0 ? [toNode(line, origins)] : ['\n', toNode(line, origins)],
      ),
    );
    return () => element?.replaceChildren();
  }, [box, url]);
  return (
    <section
      ref={place}
      className={classes.mail}
      lang={language}
      dir="auto"
      translate="no"
      aria-label={t('text')}
    />
  );
}
