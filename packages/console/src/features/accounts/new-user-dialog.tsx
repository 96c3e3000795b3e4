import type { BodyOf, User } from '@keyreeve/sdk';
import { Alert, SegmentedControl, SimpleGrid, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { consoleQuery } from '../../app/console-info.ts';
import type { Language } from '../../i18n/i18n.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { isSame } from '../../ui/is-same.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { NewPasswordField } from '../session/password-field.tsx';
import { accountFormWords } from './account-form.words.ts';
import { createUser } from './accounts-queries.ts';
import { FormDialog } from './form-dialog.tsx';
import classes from './forms.module.css';
import {
  EmailField,
  type FieldProps,
  LanguageField,
  NameFields,
  RoleField,
  TagsField,
  TextField,
} from './text-fields.tsx';

const FIELDS = ['email', 'displayName', 'firstName', 'lastName', 'role', 'password', 'locale', 'tags'];
const FIELD_BY_CODE = { 'account.login_taken': 'email', 'account.password_weak': 'password' };

interface Values {
  readonly email: string;
  /** Null until somebody types one: then it follows first and last name. */
  readonly displayName: string | null;
  readonly firstName: string;
  readonly lastName: string;
  readonly role: 'admin' | 'member';
  readonly wayIn: 'invitation' | 'password';
  readonly password: string;
  readonly locale: 'en' | 'ja';
  readonly tags: readonly string[];
}

export function composeName(first: string, last: string, language: Language): string {
  const parts = language === 'ja' ? [last, first] : [first, last];
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
}

function toBody(values: Values, displayName: string): BodyOf<'createUser'> {
  const { firstName, lastName, password, wayIn } = values;
  return {
    email: values.email.trim(),
    displayName,
    role: values.role,
    locale: values.locale,
    tags: [...values.tags],
    ...(firstName.trim() === '' ? {} : { firstName: firstName.trim() }),
    ...(lastName.trim() === '' ? {} : { lastName: lastName.trim() }),
    ...(wayIn === 'password' ? { password } : {}),
  };
}

export function NewUserDialog(props: { readonly isOpen: boolean; readonly onClose: () => void }) {
  useReturnFocus(props.isOpen);
  const { data: info } = useQuery(consoleQuery);
  if (!props.isOpen || info === undefined) return null;
  return <OpenDialog hasSmtp={info.hasSmtp} locale={info.defaultLocale} onClose={props.onClose} />;
}

function useNewUser(props: {
  readonly hasSmtp: boolean;
  readonly locale: Language;
  readonly onClose: () => void;
}) {
  const { t, language } = useWords(accountFormWords);
  const navigate = useNavigate();
  const [initial] = useState<Values>({
    email: '',
    displayName: null,
    firstName: '',
    lastName: '',
    role: 'member',
    wayIn: props.hasSmtp ? 'invitation' : 'password',
    password: '',
    locale: props.locale,
    tags: [],
  });
  const [values, setValues] = useState(initial);
  const displayName = values.displayName ?? composeName(values.firstName, values.lastName, language);
  const create = useMutation({
    mutationFn: () => createUser(toBody(values, displayName)),
    onSuccess: (user: User) => {
      const { displayName: name, email, hasPassword } = user;
      notifyDone(
        hasPassword || !props.hasSmtp ? t('userCreated', { name }) : t('userInvited', { name, email }),
      );
    },
  });
  // These are heard only as long as the dialog is there: whoever has left it is not taken along.
  const submit = () =>
    create.mutate(undefined, {
      onSuccess: ({ id }) => {
        props.onClose();
        void navigate({ to: '/users/$id', params: { id } });
      },
    });
  return {
    values,
    setValues,
    displayName,
    isChanged: !isSame(values, initial),
    create,
    submit,
    faults: readCodedFaults(create.error, language, FIELDS, FIELD_BY_CODE),
  };
}

function OpenDialog(props: {
  readonly hasSmtp: boolean;
  readonly locale: Language;
  readonly onClose: () => void;
}) {
  const { t } = useWords(accountFormWords);
  const { t: tAccount } = useWords(accountWords);
  const { values, setValues, displayName, isChanged, create, submit, faults } = useNewUser(props);
  const set = <Name extends keyof Values>(name: Name) => ({
    error: faults.of(name),
    onChange: (value: Values[Name]) => setValues((before) => ({ ...before, [name]: value })),
  });
  return (
    <FormDialog
      title={t('newUser')}
      onClose={props.onClose}
      onSubmit={submit}
      isChanged={isChanged}
      isBusy={create.isPending}
      error={create.error}
      rest={faults.rest}
    >
      <EmailField isFirst label={tAccount('email')} value={values.email} {...set('email')} />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md">
        <NameFields
          first={{ value: values.firstName, ...set('firstName') }}
          last={{ value: values.lastName, ...set('lastName') }}
        />
        <TextField label={tAccount('displayName')} value={displayName} {...set('displayName')} />
        <LanguageField value={values.locale} {...set('locale')} />
        <RoleField value={values.role} description={t('roleHint')} {...set('role')} />
        <TagsField value={values.tags} {...set('tags')} />
      </SimpleGrid>
      <WayIn
        hasSmtp={props.hasSmtp}
        value={values.wayIn}
        onChange={set('wayIn').onChange}
        password={{ value: values.password, ...set('password') }}
        context={[values.email, displayName, values.firstName, values.lastName]}
      />
    </FormDialog>
  );
}

function WayIn(props: {
  readonly hasSmtp: boolean;
  readonly value: Values['wayIn'];
  readonly onChange: (value: Values['wayIn']) => void;
  readonly password: FieldProps;
  /** What the password must not be made of. */
  readonly context: readonly string[];
}) {
  const { t } = useWords(accountFormWords);
  const labelId = useId();
  const { password } = props;
  return (
    <div>
      <div id={labelId} className={classes.label}>
        {t('wayIn')}
      </div>
      <SegmentedControl<Values['wayIn']>
        className={classes.choice ?? ''}
        aria-labelledby={labelId}
        value={props.value}
        onChange={props.onChange}
        data={[
          { value: 'invitation', label: t('byInvitation') },
          { value: 'password', label: t('byPassword') },
        ]}
      />
      {props.value === 'password' ? (
        <div className={classes.password}>
          <NewPasswordField name="password" label={t('password')} {...password} context={props.context} />
          <Text className="kr-secondary">{t('passwordHint')}</Text>
        </div>
      ) : props.hasSmtp ? (
        <Text mt="xs" className="kr-secondary">
          {t('invitationText')}
        </Text>
      ) : (
        <Alert mt="xs" color="amber">
          {t('noMailText')}
        </Alert>
      )}
    </div>
  );
}
