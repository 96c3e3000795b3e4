import { Anchor, Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { plainApi } from '../../api/client.ts';
import { consoleQuery } from '../../app/console-info.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { Refusal } from '../../ui/refusal.tsx';
import classes from './front-page.module.css';
import { FrontPage } from './front-page.tsx';
import { sessionWords } from './session.words.ts';

/** A fresh page after the sign-in: nothing of an earlier person is left in memory. */
function enter(to: string | undefined): void {
  globalThis.location.replace(to ?? '/overview');
}

/** Whom to ask, when the workspace has said so. */
function Support() {
  const { t } = useWords(sessionWords);
  const { data } = useQuery(consoleQuery);
  const email = data?.supportEmail ?? null;
  const url = data?.supportUrl ?? null;
  if (email === null && url === null) return null;
  return (
    <p>
      {t('support')} {email !== null && <Anchor href={`mailto:${encodeURIComponent(email)}`}>{email}</Anchor>}{' '}
      {url !== null && /^https?:\/\//.test(url) && (
        <Anchor href={url} rel="noreferrer">
          {new URL(url).host}
        </Anchor>
      )}
    </p>
  );
}

/** Whoever only looks for a package need not sign in where the gallery is open to everybody. */
function GalleryLink() {
  const { data } = useQuery(consoleQuery);
  if (data?.isGalleryOpen !== true) return null;
  return (
    <p>
      <Rich
        words={sessionWords}
        k="openGallery"
        parts={{ a: <Link to="/packages" search={{}} className={classes.link ?? ''} /> }}
      />
    </p>
  );
}

function Foot() {
  const { t } = useWords(sessionWords);
  return (
    <>
      <GalleryLink />
      <p>
        {t('programs')} <Anchor href="/docs">{t('how')}</Anchor>
      </p>
      <Support />
    </>
  );
}

export function SignInPage() {
  const { t, language } = useWords(sessionWords);
  const { t: tAccount } = useWords(accountWords);
  const { to } = useSearch({ from: '/sign-in' });
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const passwordField = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: () => plainApi.POST('/v1/session', { body: { email: email.trim(), password } }),
    onSuccess: () => enter(to),
  });
  const { error } = signIn;
  useEffect(() => {
    if (error !== null) passwordField.current?.select();
  }, [error]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate();
  };
  const fault = readCodedFaults(error, language, [], {}).rest;
  return (
    <FrontPage title={t('signInTitle')} foot={<Foot />}>
      <form className={classes.form} onSubmit={submit}>
        <Refusal>{fault}</Refusal>
        <TextInput
          type="email"
          name="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          maxLength={254}
          label={tAccount('email')}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          ref={passwordField}
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
