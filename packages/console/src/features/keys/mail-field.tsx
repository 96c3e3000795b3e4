import type { Settings } from '@keyreeve/sdk';
import { Checkbox, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { consoleQuery } from '../../app/console-info.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import { asFieldError } from './field-error.tsx';
import type { FieldProps } from './use-create-key.ts';

/** Whether the key is mailed, what the mail holds and where it goes; asks for an address where there is none. */
export function MailField(
  props: FieldProps & { readonly email: string | null; readonly settings: Settings | undefined },
) {
  const { form, wordOf, email, settings } = props;
  const { t } = useWords(createKeyWords);
  const hintId = useId();
  const { data: info } = useQuery(consoleQuery);
  const { sendsMail, mailTo } = form.draft;
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
          onChange={(event) => form.change({ sendsMail: event.currentTarget.checked })}
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
          error={asFieldError(wordOf('mailTo'))}
          onChange={(event) => form.change({ mailTo: event.currentTarget.value })}
        />
      )}
    </div>
  );
}
