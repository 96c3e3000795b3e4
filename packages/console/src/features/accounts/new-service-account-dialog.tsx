import type { BodyOf, ServiceAccount } from '@keyreeve/sdk';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { isSame } from '../../ui/is-same.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { accountFormWords } from './account-form.words.ts';
import { createServiceAccount } from './accounts-queries.ts';
import { FormDialog } from './form-dialog.tsx';
import { ManagersField } from './managers-field.tsx';
import { DescriptionField, EmailField, TagsField, TextField } from './text-fields.tsx';

const FIELDS = ['technicalName', 'displayName', 'email', 'description', 'managers', 'tags'];
const FIELD_BY_CODE = { 'account.login_taken': 'technicalName' };
const TECHNICAL_NAME = /^[a-z][a-z0-9_-]{0,62}[a-z0-9]$/;

interface Values {
  readonly technicalName: string;
  readonly displayName: string;
  readonly email: string;
  readonly description: string;
  readonly managers: readonly string[];
  readonly tags: readonly string[];
}

function toBody(values: Values): BodyOf<'createServiceAccount'> {
  const { email, description } = values;
  return {
    technicalName: values.technicalName.trim(),
    displayName: values.displayName.trim(),
    managers: [...values.managers],
    tags: [...values.tags],
    ...(email.trim() === '' ? {} : { email: email.trim() }),
    ...(description.trim() === '' ? {} : { description: description.trim() }),
  };
}

export function NewServiceAccountDialog(props: { readonly isOpen: boolean; readonly onClose: () => void }) {
  useReturnFocus(props.isOpen);
  return props.isOpen ? <OpenDialog onClose={props.onClose} /> : null;
}

function useNewServiceAccount(onClose: () => void) {
  const { t, language } = useWords(accountFormWords);
  const { account } = useSession();
  const navigate = useNavigate();
  const [initial] = useState<Values>({
    technicalName: '',
    displayName: '',
    email: '',
    description: '',
    managers: [account.id],
    tags: [],
  });
  const [values, setValues] = useState(initial);
  const create = useMutation({
    mutationFn: () => createServiceAccount(toBody(values)),
    onSuccess: ({ displayName: name }: ServiceAccount) => notifyDone(t('serviceCreated', { name })),
  });
  // These are heard only as long as the dialog is there: whoever has left it is not taken along.
  const submit = () =>
    create.mutate(undefined, {
      onSuccess: ({ id }) => {
        onClose();
        void navigate({ to: '/service-accounts/$id', params: { id } });
      },
    });
  const faults = readCodedFaults(create.error, language, FIELDS, FIELD_BY_CODE);
  // The server knows the form of the name only as a pattern; here it is said in words.
  const nameFault =
    faults.of('technicalName') !== null && !TECHNICAL_NAME.test(values.technicalName.trim())
      ? t('technicalNameFault')
      : faults.of('technicalName');
  return { values, setValues, isChanged: !isSame(values, initial), create, submit, faults, nameFault };
}

function OpenDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useWords(accountFormWords);
  const { t: tAccount } = useWords(accountWords);
  const { values, setValues, isChanged, create, submit, faults, nameFault } = useNewServiceAccount(onClose);
  const set = <Name extends keyof Values>(name: Name) => ({
    value: values[name],
    error: faults.of(name),
    onChange: (value: Values[Name]) => setValues((before) => ({ ...before, [name]: value })),
  });
  return (
    <FormDialog
      title={t('newService')}
      onClose={onClose}
      onSubmit={submit}
      isChanged={isChanged}
      isBusy={create.isPending}
      error={create.error}
      rest={faults.rest}
    >
      <TextField
        isFirst
        isMono
        label={tAccount('technicalName')}
        description={t('technicalNameHint')}
        {...set('technicalName')}
        error={nameFault}
      />
      <TextField label={tAccount('displayName')} {...set('displayName')} />
      <EmailField label={t('contact')} description={t('contactHint')} {...set('email')} />
      <DescriptionField {...set('description')} />
      <ManagersField {...set('managers')} />
      <TagsField {...set('tags')} />
    </FormDialog>
  );
}
