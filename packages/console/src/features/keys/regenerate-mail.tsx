import type { BodyOf, Key } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { focusFirstFault } from '../../ui/focus-fault.ts';
import { accountQuery } from '../accounts/accounts-queries.ts';
import { settingsQuery } from '../settings/settings-queries.ts';
import { createKeyWords } from './create-key.words.ts';
import classes from './key-dialogs.module.css';
import { type MailChoice, MailField } from './mail-field.tsx';

/** Whether the new secret is mailed. Nothing is offered before it is known where to. */
export function useRegenerateMail(value: Key, isOpen: boolean) {
  const { kind, id } = value.account;
  const { data: account } = useQuery({ ...accountQuery(kind, id), enabled: isOpen });
  const [choice, setChoice] = useState<MailChoice>({ sendsMail: false, mailTo: '' });
  const [wasTried, setTried] = useState(false);
  const fieldId = useId();
  const email = account?.email ?? null;
  const mailTo = choice.mailTo.trim();
  const isMissing = choice.sendsMail && email === null && mailTo === '';
  const body: Pick<BodyOf<'regenerateKey'>, 'sendMail' | 'mailTo'> = choice.sendsMail
    ? { sendMail: true, ...(email === null ? { mailTo } : {}) }
    : {};
  return {
    fieldId,
    isKnown: account !== undefined,
    email,
    choice,
    change: (next: Partial<MailChoice>) => setChoice((before) => ({ ...before, ...next })),
    isMissing: wasTried && isMissing,
    body,
    /** False when an address is wanted first; then the field says so. */
    check: () => {
      setTried(true);
      if (isMissing) focusFirstFault(fieldId);
      return !isMissing;
    },
  };
}

export function RegenerateMail(props: {
  readonly mail: ReturnType<typeof useRegenerateMail>;
  readonly serverFault: string | null;
}) {
  const { mail, serverFault } = props;
  const { t } = useWords(createKeyWords);
  const { data } = useQuery(settingsQuery);
  if (!mail.isKnown) return null;
  return (
    <div id={mail.fieldId} className={classes.mail}>
      <MailField
        value={mail.choice}
        onChange={mail.change}
        fault={mail.isMissing ? t('addressMissing') : serverFault}
        email={mail.email}
        settings={data?.settings}
      />
    </div>
  );
}
