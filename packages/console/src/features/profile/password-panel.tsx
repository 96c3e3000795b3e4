import type { User } from '@keyreeve/sdk';
import { Alert, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../../api/client.ts';
import { formatDate } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { asFieldError } from '../../ui/field-error.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { Panel } from '../../ui/panel.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { NewPasswordField } from '../session/password-field.tsx';
import { sessionWords } from '../session/session.words.ts';
import classes from './profile.module.css';
import { profileWords } from './profile.words.ts';

const FIELDS = ['currentPassword', 'newPassword'];
const FIELD_BY_CODE: Readonly<Record<string, string | undefined>> = {
  'session.wrong_current_password': 'currentPassword',
  'account.password_weak': 'newPassword',
};

function usePasswordForm() {
  const client = useQueryClient();
  const { language } = useWords(sessionWords);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () =>
      api.POST('/v1/password/change', { body: { currentPassword: current, newPassword: next } }),
    onSuccess: async () => {
      setCurrent('');
      setNext('');
      for (const name of ['session', 'sessions', 'users'])
        await client.invalidateQueries({ queryKey: [name] });
    },
  });
  return {
    current,
    next,
    change,
    type: (which: 'current' | 'next', text: string) => {
      (which === 'current' ? setCurrent : setNext)(text);
      if (!change.isPending) change.reset();
    },
    faults: readCodedFaults(change.error, language, FIELDS, FIELD_BY_CODE),
  };
}

/** Changing one's own password. Passwords live in these fields alone and are gone once they are sent. */
export function PasswordPanel({ user }: { readonly user: User }) {
  const { t, language } = useWords(profileWords);
  const { t: tSession } = useWords(sessionWords);
  const { current, next, change, type, faults } = usePasswordForm();
  const form = useFocusOnFault<HTMLFormElement>(change.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!change.isPending) change.mutate();
  };
  const { passwordChangedAt } = user;
  return (
    <Panel
      title={t('password')}
      {...(passwordChangedAt === null
        ? {}
        : { description: t('passwordChanged', { date: formatDate(passwordChangedAt, language) }) })}
    >
      <form ref={form} className={classes.form} onSubmit={submit}>
        {change.isSuccess && (
          <Alert color="green" role="status">
            {t('passwordDone')}
          </Alert>
        )}
        <Refusal>{faults.rest}</Refusal>
        {/* Password managers store the new password under this name. */}
        <input type="text" name="username" autoComplete="username" value={user.email} readOnly hidden />
        <PasswordInput
          name="current-password"
          label={t('currentPassword')}
          required
          withAsterisk={false}
          autoComplete="current-password"
          maxLength={1024}
          visibilityToggleButtonProps={{ 'aria-label': tSession('showPassword') }}
          value={current}
          error={asFieldError(faults.of('currentPassword'))}
          aria-invalid={faults.of('currentPassword') !== null}
          onChange={(event) => type('current', event.currentTarget.value)}
        />
        <NewPasswordField
          name="new-password"
          label={t('newPassword')}
          value={next}
          onChange={(text) => type('next', text)}
          error={faults.of('newPassword')}
          context={[user.email, user.displayName, user.firstName ?? '', user.lastName ?? '']}
        />
        <p className={classes.hint}>{t('passwordEnds')}</p>
        <div>
          <ActionButton
            type="submit"
            variant="default"
            loading={change.isPending}
            disabled={current === '' || next === ''}
          >
            {t('changePassword')}
          </ActionButton>
        </div>
      </form>
    </Panel>
  );
}
