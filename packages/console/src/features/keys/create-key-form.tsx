import { Alert, Checkbox, Radio, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { settingsQuery } from '../settings/settings-queries.ts';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import { resourcesOf } from './create-key-draft.ts';
import { IpRangesField } from './ip-ranges-field.tsx';
import { type KeyAccount, ownersQuery } from './key-account.ts';
import { LifetimeField } from './lifetime-field.tsx';
import limitClasses from './limits.module.css';
import { limitsWords } from './limits.words.ts';
import { NO_LIMITS } from './limits-draft.ts';
import { LimitsFields } from './limits-fields.tsx';
import { MailField } from './mail-field.tsx';
import type { FieldProps, KeyForm } from './use-create-key.ts';

/** The faults of a form in words. */
export function useFaultWords(form: KeyForm): FieldProps['wordOf'] {
  const { t } = useWords(createKeyWords);
  const { data } = useQuery(settingsQuery);
  return (field) => {
    const fault = form.faultOf(field);
    if (fault === null) return null;
    if ('message' in fault) return fault.message;
    // Which pattern it is, and why, stands under the field already.
    if (fault.word === 'patternFaulty' || fault.word === 'limitFaulty') return null;
    const max = data?.settings.maxLifetimeDays ?? 0;
    return t(fault.word, { max, count: resourcesOf(form.draft).length });
  };
}

export function CommentField({ form, wordOf }: FieldProps) {
  const { t } = useWords(createKeyWords);
  return (
    <TextInput
      label={t('comment')}
      description={t('commentHint')}
      withAsterisk
      aria-required
      data-autofocus
      autoComplete="off"
      value={form.draft.comment}
      error={asFieldError(wordOf('comment'))}
      onChange={(event) => form.change({ comment: event.currentTarget.value })}
    />
  );
}

/** Lifetime and mail ask the settings; without them the server's own default holds. */
export function LifetimePart({ form, wordOf }: FieldProps) {
  const { t } = useWords(createKeyWords);
  const { data, isError } = useQuery(settingsQuery);
  if (data !== undefined) return <LifetimeField form={form} wordOf={wordOf} settings={data.settings} />;
  return isError ? <Alert color="amber">{t('settingsFailed')}</Alert> : null;
}

export function MailPart(props: FieldProps & { readonly email: string | null }) {
  const { data } = useQuery(settingsQuery);
  const { form, wordOf, email } = props;
  return (
    <MailField
      value={form.draft}
      onChange={form.change}
      fault={wordOf('mailTo')}
      email={email}
      settings={data?.settings}
    />
  );
}

/** From where the key may be used. */
export function IpRangesPart({ form, wordOf }: FieldProps) {
  return (
    <IpRangesField
      text={form.draft.ipText}
      faultOf={(index) => wordOf(index === null ? 'ipRanges' : `ipRanges:${index}`)}
      onChange={(ipText) => form.change({ ipText })}
    />
  );
}

/** Off at first: most keys need none. */
export function LimitsPart({ form, wordOf }: FieldProps) {
  const { t } = useWords(limitsWords);
  const { limits } = form.draft;
  return (
    <div className={limitClasses.group}>
      <Checkbox
        label={t('switch')}
        checked={limits !== null}
        onChange={(event) => form.change({ limits: event.currentTarget.checked ? NO_LIMITS : null })}
      />
      {limits !== null && (
        <>
          <p className={limitClasses.hint}>{t('keyHint')}</p>
          <LimitsFields
            value={limits}
            faultOf={(field) => wordOf(`limits.${field}`)}
            onChange={(next) => form.change({ limits: next })}
          />
        </>
      )}
    </div>
  );
}

/** All rights of the account, or only what is chosen below. */
export function AccessField({ form, account }: FieldProps & { readonly account: KeyAccount }) {
  const { t } = useWords(createKeyWords);
  const titleId = useId();
  const name = account.displayName;
  return (
    <Radio.Group
      aria-labelledby={titleId}
      value={form.draft.access}
      onChange={(value) => form.change({ access: value === 'account' ? 'account' : 'scoped' })}
    >
      <p id={titleId} className={classes.title}>
        {t('access')}
      </p>
      <div className={classes.cards}>
        <Radio
          className={classes.card ?? ''}
          value="account"
          label={t('account')}
          description={t(account.kind === 'user' ? 'accountHint' : 'accountHintService', { name })}
        />
        <Radio
          className={classes.card ?? ''}
          value="scoped"
          label={t('scoped')}
          description={t('scopedHint')}
        />
      </div>
    </Radio.Group>
  );
}

/** Whose packages the key acts on: shown where there is a choice. */
export function OwnerField({ form, wordOf, account }: FieldProps & { readonly account: KeyAccount }) {
  const { t } = useWords(createKeyWords);
  const { data: owners = [] } = useQuery(ownersQuery(account, useSession()));
  if (owners.length === 0) return null;
  return (
    <Select
      label={t('owner')}
      classNames={{ root: classes.owner ?? '' }}
      allowDeselect={false}
      searchable={owners.length > 10}
      value={form.draft.ownerId ?? account.id}
      error={asFieldError(wordOf('ownerId'))}
      onChange={(id) =>
        // What was ticked one by one is in the list of the owner before.
        form.change({ ownerId: id === account.id ? null : id, singles: [] })
      }
      data={[
        { value: account.id, label: t('ownerSelf', { name: account.displayName }) },
        ...owners.map(({ id, displayName }) => ({ value: id, label: displayName })),
      ]}
    />
  );
}
