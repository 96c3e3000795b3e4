import type { PackageDetail } from '@keyreeve/sdk';
import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { useIsAdmin } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { packagesWords } from './packages.words.ts';

const FOUND_MAX = 20;
const SETTLE_MS = 250;

/** Somebody who may become an owner: by id, or by the address or name that a person typed. */
interface Candidate {
  readonly id: string;
  readonly name: string;
}

/** Accounts that an administrator finds. Others type an address or a name: they see only some of the accounts. */
function useCandidates(q: string, isOpen: boolean) {
  return useQuery({
    queryKey: ['packages', 'owner-candidates', q],
    enabled: isOpen,
    queryFn: async ({ signal }): Promise<readonly Candidate[]> => {
      const query = { limit: FOUND_MAX, ...(q === '' ? {} : { q }) };
      const [users, services] = await Promise.all([
        api.GET('/v1/users', { params: { query }, signal }),
        api.GET('/v1/service-accounts', { params: { query }, signal }),
      ]);
      return [
        ...users.data.items.map(({ id, displayName, email }) => ({ id, name: `${displayName} (${email})` })),
        ...services.data.items.map(({ id, displayName, technicalName }) => ({
          id,
          name: `${displayName} (${technicalName})`,
        })),
      ];
    },
  });
}

/** `from` hands its ownership over; without it the new owner stands beside the others. */
function useOwnerChange(packageId: string, from: string | null, onDone: () => void) {
  const { t } = useWords(packagesWords);
  return useMutation({
    mutationFn: async (owner: Candidate) => {
      const params = { path: { id: packageId } };
      const account = owner.id;
      return from === null
        ? (await api.POST('/v1/packages/{id}/owner-requests', { params, body: { account } })).data
        : (await api.POST('/v1/packages/{id}/transfer', { params, body: { account, from } })).data;
    },
    onSuccess: async ({ state }, { name }) => {
      await queryClient.invalidateQueries({ queryKey: ['packages'] });
      notifyDone(t(state === 'done' ? 'ownerAdded' : 'ownerAsked', { name }));
      onDone();
    },
  });
}

interface OwnerFieldProps {
  readonly packageOwners: readonly string[];
  readonly isOpen: boolean;
  readonly error: string | null;
  readonly onChoose: (chosen: Candidate | null) => void;
}

function FoundAccount({ packageOwners, isOpen, error, onChoose }: OwnerFieldProps) {
  const { t } = useWords(packagesWords);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<Candidate | null>(null);
  const [q] = useDebouncedValue(text.trim(), SETTLE_MS);
  const { data: candidates = [] } = useCandidates(chosen?.name === q ? '' : q, isOpen);
  return (
    <Select
      mt="sm"
      data-autofocus
      searchable
      label={t('account')}
      placeholder={t('findAccount')}
      nothingFoundMessage={t('noAccount')}
      // The server has searched; another filter here would hide what it found by e-mail.
      filter={({ options }) => options}
      data={candidates
        .filter(({ id }) => !packageOwners.includes(id))
        .map(({ id, name }) => ({ value: id, label: name }))}
      searchValue={text}
      onSearchChange={setText}
      value={chosen?.id ?? null}
      onChange={(id) => {
        const found = candidates.find((each) => each.id === id) ?? null;
        setChosen(found);
        onChoose(found);
      }}
      error={error}
    />
  );
}

function TypedAccount({ error, onChoose }: OwnerFieldProps) {
  const { t } = useWords(packagesWords);
  return (
    <TextInput
      mt="sm"
      data-autofocus
      label={t('account')}
      description={t('typeAccount')}
      maxLength={254}
      autoComplete="off"
      onChange={(event) => {
        const text = event.currentTarget.value.trim();
        onChoose(text === '' ? null : { id: text, name: text });
      }}
      error={error}
    />
  );
}

/** Adds an owner or hands an ownership over; the other account accepts it, unless the person may do that himself. */
export function OwnerDialog(props: {
  readonly value: PackageDetail;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** The owner who hands over; null: an owner is added. */
  readonly from: { readonly id: string; readonly displayName: string } | null;
}) {
  const { value, isOpen, onClose, from } = props;
  const { t, language } = useWords(packagesWords);
  const { t: ui } = useWords(uiWords);
  const isAdmin = useIsAdmin();
  const [chosen, setChosen] = useState<Candidate | null>(null);
  const close = () => {
    setChosen(null);
    change.reset();
    onClose();
  };
  const change = useOwnerChange(value.id, from?.id ?? null, close);
  const Field = isAdmin ? FoundAccount : TypedAccount;
  const submit = () => {
    if (chosen !== null && !change.isPending) change.mutate(chosen);
  };
  const verb = from === null ? t('add') : t('handOver');
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title={from === null ? t('addOwner') : t('handOverTitle', { name: from.displayName })}
      subtitle={value.displayId}
      actions={
        <>
          <Button variant="default" onClick={close}>
            {ui('cancel')}
          </Button>
          <ActionButton disabled={chosen === null} loading={change.isPending} onClick={submit}>
            {verb}
          </ActionButton>
        </>
      }
    >
      <p>{t(from === null ? 'addText' : 'handOverText')}</p>
      {!isAdmin && <p className="kr-dimmed">{t('acceptText')}</p>}
      <Field
        packageOwners={value.owners}
        isOpen={isOpen}
        onChoose={setChosen}
        error={readFaults(change.error, language, []).rest}
      />
    </Dialog>
  );
}
