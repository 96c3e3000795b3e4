import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { readCodedFaults } from '../../ui/coded-faults.ts';
import { isSame } from '../../ui/is-same.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { FormDialog } from '../accounts/form-dialog.tsx';
import { WEBHOOK_FIELDS, WebhookFields, type WebhookValues } from './webhook-fields.tsx';
import { webhooksWords } from './webhooks.words.ts';
import { createWebhook, type SealedWebhook } from './webhooks-queries.ts';

const EMPTY: WebhookValues = { url: '', description: '', eventTypes: [] };

interface NewWebhookProps {
  readonly onClose: () => void;
  readonly onCreated: (created: SealedWebhook) => void;
}

export function NewWebhookDialog(props: NewWebhookProps & { readonly isOpen: boolean }) {
  const { isOpen, ...rest } = props;
  useReturnFocus(isOpen);
  return isOpen ? <OpenDialog {...rest} /> : null;
}

function OpenDialog({ onClose, onCreated }: NewWebhookProps) {
  const { t, language } = useWords(webhooksWords);
  const [values, setValues] = useState(EMPTY);
  const create = useMutation({
    mutationFn: () => {
      const { url, description, eventTypes } = values;
      return createWebhook({
        url: url.trim(),
        description: description.trim(),
        eventTypes: [...eventTypes],
      });
    },
    onSuccess: (created) => {
      onClose();
      onCreated(created);
    },
  });
  const faults = readCodedFaults(create.error, language, WEBHOOK_FIELDS, {});
  return (
    <FormDialog
      title={t('newWebhook')}
      onClose={onClose}
      onSubmit={() => create.mutate()}
      isBusy={create.isPending}
      isChanged={!isSame(values, EMPTY)}
      error={create.error}
      rest={faults.rest}
    >
      <WebhookFields
        values={values}
        faults={faults}
        set={(name, value) => setValues((before) => ({ ...before, [name]: value }))}
      />
    </FormDialog>
  );
}
