import { KeyreeveError } from '@keyreeve/sdk';
import { Anchor, Button, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { plainApi } from '../../api/client.ts';
import { consoleQuery } from '../../app/console-info.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { asFieldError } from '../../ui/field-error.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { Refusal } from '../../ui/refusal.tsx';
import classes from './front-page.module.css';
import { FrontPage } from './front-page.tsx';
import { NewPasswordField } from './password-field.tsx';
import { sessionWords } from './session.words.ts';

const FIELDS = ['code', 'displayName', 'email', 'password'] as const;
type Field = (typeof FIELDS)[number];

const FIELD_BY_CODE: Readonly<Record<string, Field | undefined>> = {
  'setup.wrong_code': 'code',
  'account.password_weak': 'password',
};

/** What the server prints when it starts, as far as it matters here: where the code is to be found. */
function Terminal() {
  const { t } = useWords(sessionWords);
  const { data } = useQuery(consoleQuery);
  return (
    <span className={classes.terminal}>
      <span>$ npm start</span>
      <span>Keyreeve listens on {data?.url ?? globalThis.location.origin}</span>
      <span>
        <span className="kr-petrol">Set-up code (works once): ••••••••</span>{' '}
        <span className={classes.note}>
          {'<-'} {t('setupCodeHint')}
        </span>
      </span>
    </span>
  );
}

function useSetup() {
  const { language } = useWords(sessionWords);
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
  const faults = readCodedFaults(setup.error, language, FIELDS, FIELD_BY_CODE);
  const field = (name: Field) => ({
    name,
    required: true,
    withAsterisk: false,
    value: values[name],
    error: asFieldError(faults.of(name)),
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setValues((before) => ({ ...before, [name]: value }));
    },
  });
  return { values, setValues, setup, faults, field };
}

export function FirstRunPage() {
  const { t } = useWords(sessionWords);
  const { t: tAccount } = useWords(accountWords);
  const { values, setValues, setup, faults, field } = useSetup();
  const form = useFocusOnFault<HTMLFormElement>(setup.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!setup.isPending) setup.mutate();
  };
  const isDone = setup.error instanceof KeyreeveError && setup.error.code === 'setup.already_done';
  return (
    <FrontPage title={t('setupTitle')} subtitle={t('setupText')} isWide>
      <form ref={form} className={classes.form} onSubmit={submit}>
        {faults.rest !== null && (
          <Refusal>
            {faults.rest} {isDone && <Anchor href="/sign-in">{t('signIn')}</Anchor>}
          </Refusal>
        )}
        <TextInput
          {...field('code')}
          label={t('setupCode')}
          description={<Terminal />}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          autoFocus
          autoComplete="one-time-code"
          autoCapitalize="off"
          spellCheck={false}
          classNames={{ input: 'kr-mono' }}
          maxLength={256}
        />
        <div className={classes.pair}>
          <TextInput
            {...field('displayName')}
            label={tAccount('displayName')}
            autoComplete="name"
            dir="auto"
            maxLength={256}
          />
          <TextInput
            {...field('email')}
            type="email"
            label={tAccount('email')}
            autoComplete="username"
            maxLength={254}
          />
        </div>
        <NewPasswordField
          name="password"
          label={t('password')}
          value={values.password}
          onChange={(password) => setValues((before) => ({ ...before, password }))}
          error={faults.of('password')}
          context={[values.email, values.displayName]}
        />
        <Button type="submit" fullWidth loading={setup.isPending || setup.isSuccess}>
          {t('createAdmin')}
        </Button>
      </form>
    </FrontPage>
  );
}
