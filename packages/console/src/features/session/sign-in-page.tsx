import { KeyreeveError } from '@keyreeve/sdk';
import { Alert, Anchor, Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { plainApi } from '../../api/client.ts';
import { describeError } from '../../errors/describe-error.ts';
import { formatDuration } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './front-page.module.css';
import { FrontPage } from './front-page.tsx';
import { sessionWords } from './session.words.ts';

/** A fresh page after the sign-in: nothing of an earlier person is left in memory. */
function enter(to: string | undefined): void {
  globalThis.location.replace(to ?? '/overview');
}

export function SignInPage() {
  const { t, language } = useWords(sessionWords);
  const { to } = useSearch({ from: '/sign-in' });
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => plainApi.POST('/v1/session', { body: { email: email.trim(), password } }),
    onSuccess: () => enter(to),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  const wait = signIn.error instanceof KeyreeveError ? signIn.error.retryAfterSeconds : null;
  const fault = signIn.isError ? describeError(signIn.error, language) : null;
  return (
    <FrontPage
      title={t('signInTitle')}
      foot={
        <>
          {t('programs')} <Anchor href="/docs">{t('how')}</Anchor>
        </>
      }
    >
      <form className={classes.form} onSubmit={submit}>
        {fault !== null && (
          <Alert color="red" role="alert">
            {fault.title} {fault.remedy}{' '}
            {wait !== null && t('retryIn', { time: formatDuration(wait, language) })}
          </Alert>
        )}
        <TextInput
          type="email"
          name="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          maxLength={254}
          label={t('email')}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          maxLength={1024}
          label={t('password')}
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth loading={signIn.isPending || signIn.isSuccess}>
          {t('signIn')}
        </Button>
        <div className={classes.below}>
          <Anchor component={Link} to="/forgot-password" size="sm">
            {t('forgot')}
          </Anchor>
        </div>
      </form>
    </FrontPage>
  );
}
