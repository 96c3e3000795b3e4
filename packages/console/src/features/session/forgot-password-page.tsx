import { Alert, Anchor, Button, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { plainApi } from '../../api/client.ts';
import { consoleQuery } from '../../app/console-info.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { readFaults } from '../../ui/field-faults.ts';
import { Refusal } from '../../ui/refusal.tsx';
import classes from './front-page.module.css';
import { FrontPage } from './front-page.tsx';
import { sessionWords } from './session.words.ts';

export function ForgotPasswordPage() {
  const { t, language } = useWords(sessionWords);
  const { t: tAccount } = useWords(accountWords);
  const { data: info } = useQuery(consoleQuery);
  const [email, setEmail] = useState('');
  const request = useMutation({
    mutationFn: () => plainApi.POST('/v1/password/request', { body: { email: email.trim() } }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    request.mutate();
  };
  const faults = readFaults(request.error, language, ['email']);
  return (
    <FrontPage title={t('forgotTitle')} text={t('forgotText')}>
      <form className={classes.form} onSubmit={submit}>
        {info?.hasSmtp === false && <Alert color="amber">{t('noMail')}</Alert>}
        {request.isSuccess && (
          <Alert color="green" role="status">
            {t('linkSent')}
          </Alert>
        )}
        <Refusal>{faults.rest}</Refusal>
        <TextInput
          type="email"
          required
          withAsterisk={false}
          autoFocus
          autoComplete="username"
          maxLength={254}
          label={tAccount('email')}
          value={email}
          error={faults.of('email')}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Button type="submit" fullWidth loading={request.isPending}>
          {t('sendLink')}
        </Button>
        <div className={classes.below}>
          <Anchor component={Link} to="/sign-in" size="sm">
            {t('backToSignIn')}
          </Anchor>
        </div>
      </form>
    </FrontPage>
  );
}
