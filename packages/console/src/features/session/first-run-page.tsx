import { Alert, Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { plainApi } from '../../api/client.ts';
import { useWords } from '../../i18n/words.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import classes from './front-page.module.css';
import { FrontPage } from './front-page.tsx';
import { sessionWords } from './session.words.ts';

const FIELDS = ['code', 'displayName', 'email', 'password'] as const;
type Field = (typeof FIELDS)[number];

export function FirstRunPage() {
  const { t, language } = useWords(sessionWords);
  const [values, setValues] = useState<Record<Field, string>>({
    code: '',
    displayName: '',
    email: '',
    password: '',
  });
  const setup = useMutation({
    mutationFn: () =>
      plainApi.POST('/v1/setup', {
        body: { ...values, code: values.code.trim(), email: values.email.trim() },
      }),
    onSuccess: () => globalThis.location.replace('/overview'),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setup.mutate();
  };
  const faults = readFaults(setup.error, language, FIELDS);
  const field = (name: Field) => ({
    name,
    required: true,
    withAsterisk: false,
    value: values[name],
    error: faults.of(name),
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setValues((before) => ({ ...before, [name]: value }));
    },
  });
  return (
    <FrontPage title={t('setupTitle')} text={t('setupText')}>
      <form className={classes.form} onSubmit={submit}>
        {faults.rest !== null && (
          <Alert color="red" role="alert">
            {faults.rest}
          </Alert>
        )}
        <TextInput
          {...field('code')}
          label={t('setupCode')}
          description={t('setupCodeHint')}
          autoFocus
          autoComplete="one-time-code"
          classNames={{ input: 'kr-mono' }}
          maxLength={256}
        />
        <TextInput {...field('displayName')} label={t('displayName')} autoComplete="name" maxLength={256} />
        <TextInput
          {...field('email')}
          type="email"
          label={t('email')}
          autoComplete="username"
          maxLength={254}
        />
        <PasswordInput
          {...field('password')}
          label={t('password')}
          autoComplete="new-password"
          maxLength={1024}
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
        />
        <ul className={classes.rules}>
          <li>{t('ruleLength')}</li>
          <li>{t('ruleCommon')}</li>
          <li>{t('ruleNames')}</li>
        </ul>
        <Button type="submit" fullWidth loading={setup.isPending || setup.isSuccess}>
          {t('createAdmin')}
        </Button>
      </form>
    </FrontPage>
  );
}
