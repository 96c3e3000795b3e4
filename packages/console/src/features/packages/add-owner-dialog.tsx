import type { PackageDetail } from '@keyreeve/sdk';
import { Button, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { packagesWords } from './packages.words.ts';

const FOUND_MAX = 20;
const SETTLE_MS = 250;
/** It owns the package once it accepts. */
const ASKED = 202;

interface Candidate {
  readonly id: string;
  readonly name: string;
}

/** Accounts that the person may see: everybody for administrators, else oneself and what one manages. */
function useCandidates(q: string, isOpen: boolean) {
  const { account } = useSession();
  const isAdmin = account.role === 'admin';
  return useQuery({
    queryKey: ['packages', 'owner-candidates', q, isAdmin],
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

function useAddOwner(packageId: string, onDone: () => void) {
  const { t } = useWords(packagesWords);
  return useMutation({
    mutationFn: (owner: Candidate) =>
      api.PUT('/v1/packages/{id}/owners/{accountId}', {
        params: { path: { id: packageId, accountId: owner.id } },
      }),
    onSuccess: async ({ response }, owner) => {
      await queryClient.invalidateQueries({ queryKey: ['packages'] });
      notifyDone(t(response.status === ASKED ? 'ownerAsked' : 'ownerAdded', { name: owner.name }));
      onDone();
    },
  });
}

export function AddOwnerDialog(props: {
  readonly value: PackageDetail;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  const { value, isOpen, onClose } = props;
  const { t, language } = useWords(packagesWords);
  const { t: ui } = useWords(uiWords);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<Candidate | null>(null);
  const [q] = useDebouncedValue(text.trim(), SETTLE_MS);
  const { data: candidates = [] } = useCandidates(chosen?.name === q ? '' : q, isOpen);
  const close = () => {
    setText('');
    setChosen(null);
    add.reset();
    onClose();
  };
  const add = useAddOwner(value.id, close);
  const isFree = ({ id }: Candidate) => !value.owners.includes(id);
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title={t('addOwner')}
      subtitle={value.displayId}
      actions={
        <>
          <Button variant="default" onClick={close}>
            {ui('cancel')}
          </Button>
          <ActionButton
            disabled={chosen === null}
            loading={add.isPending}
            onClick={() => {
              if (chosen !== null) add.mutate(chosen);
            }}
          >
            {t('add')}
          </ActionButton>
        </>
      }
    >
      <p>{t('addText')}</p>
      <Select
        mt="sm"
        data-autofocus
        searchable
        label={t('account')}
        placeholder={t('findAccount')}
        nothingFoundMessage={t('noAccount')}
        // The server has searched; another filter here would hide what it found by e-mail.
        filter={({ options }) => options}
        data={candidates.filter(isFree).map(({ id, name }) => ({ value: id, label: name }))}
        searchValue={text}
        onSearchChange={setText}
        value={chosen?.id ?? null}
        onChange={(id) => setChosen(candidates.find((each) => each.id === id) ?? null)}
        error={readFaults(add.error, language, []).rest}
      />
    </Dialog>
  );
}
