import type { Settings } from '@keyreeve/sdk';
import { Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { consoleQuery } from '../../app/console-info.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';

export interface MailChoice {
  readonly sendsMail: boolean;
  /** Typed where the account has no address of its own. */
  readonly mailTo: string;
}

/** Whether the key is mailed, what the mail holds and where it goes; asks for an address where there is none. */
export function MailField(props: {
  readonly value: MailChoice;
  readonly onChange: (next: Partial<MailChoice>) => void;
  /** What is wrong with the address, in words. */
  readonly fault: string | null;
  readonly email: string | null;
  readonly settings: Settings | undefined;
}) {
  const { onChange, fault, email, settings } = props;
  const { sendsMail, mailTo } = props.value;
  const { t } = useWords(createKeyWords);
  const hintId = useId();
  const { data: info } = useQuery(consoleQuery);
  const isByValue = settings?.keyMail === 'value';
  const isOff = isByValue && info?.hasSmtp === false;
  const hint = isOff
    ? t('mailOff')
    : email === null
      ? t(isByValue ? 'mailValueSomebody' : 'mailLinkSomebody')
      : t(isByValue ? 'mailValue' : 'mailLink', { address: email });
  const isWaiting = sendsMail && !isOff && info?.hasSmtp === false;
  return (
    <div>
      <div className={classes.mail}>
        <Checkbox
          label={t('sendMail')}
          checked={sendsMail && !isOff}
          disabled={isOff}
          aria-describedby={hintId}
          onChange={(event) => onChange({ sendsMail: event.currentTarget.checked })}
        />
        <span id={hintId} className="kr-dimmed">
          {hint}
        </span>
      </div>
      {isWaiting && <p className={classes.below}>{t('mailWaits')}</p>}
      {sendsMail && !isOff && email === null && (
        <TextInput
          className={classes.mailTo ?? ''}
          type="email"
          maxLength={254}
          withAsterisk
          aria-required
          label={t('mailTo')}
          autoComplete="email"
          value={mailTo}
          error={asFieldError(fault)}
          onChange={(event) => onChange({ mailTo: event.currentTarget.value })}
        />
      )}
    </div>
  );
}
