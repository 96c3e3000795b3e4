import type { PackageDetail } from '@keyreeve/sdk';
import { ActionIcon, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { AddOwnerDialog } from './add-owner-dialog.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';

type Owner = PackageDetail['ownerAccounts'][number];

export function OwnersPanel(props: { readonly value: PackageDetail }) {
  const { value } = props;
  const { t } = useWords(packagesWords);
  const { account, managedIds } = useSession();
  const [isAdding, adding] = useDisclosure(false);
  const [leaving, setLeaving] = useState<Owner | null>(null);
  const mayChange =
    account.role === 'admin' || value.owners.some((id) => id === account.id || managedIds.includes(id));
  const remove = useMutation({
    mutationFn: (owner: Owner) =>
      api.DELETE('/v1/packages/{id}/owners/{accountId}', {
        params: { path: { id: value.id, accountId: owner.id } },
      }),
    onSuccess: async (_data, owner) => {
      setLeaving(null);
      await queryClient.invalidateQueries({ queryKey: ['packages'] });
      notifyDone(t('ownerRemoved', { name: owner.displayName }));
    },
    onError: notifyFailure,
  });
  return (
    <Panel
      title={t('owners')}
      actions={
        mayChange && (
          <ActionButton
            size="xs"
            variant="default"
            aria-label={t('addOwner')}
            leftSection={<IconPlus size={14} stroke={1.75} />}
            onClick={adding.open}
          >
            {t('add')}
          </ActionButton>
        )
      }
    >
      <ul className={classes.list}>
        {value.ownerAccounts.map((owner) => (
          <OwnerItem
            key={owner.id}
            owner={owner}
            isOnly={value.ownerAccounts.length === 1}
            onRemove={mayChange ? () => setLeaving(owner) : null}
          />
        ))}
      </ul>
      <AddOwnerDialog value={value} isOpen={isAdding} onClose={adding.close} />
      <ConfirmDialog
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title={t('removeTitle', { name: leaving?.displayName ?? '' })}
        verb={t('remove')}
        isBusy={remove.isPending}
        onConfirm={() => {
          if (leaving !== null) remove.mutate(leaving);
        }}
      >
        <p>{t('removeText')}</p>
      </ConfirmDialog>
    </Panel>
  );
}

function OwnerItem(props: {
  readonly owner: Owner;
  readonly isOnly: boolean;
  /** Null: the person may not change the owners. */
  readonly onRemove: (() => void) | null;
}) {
  const { owner, isOnly, onRemove } = props;
  const { t } = useWords(packagesWords);
  return (
    <li className={classes.item}>
      <AccountMark name={owner.displayName} kind={owner.kind} />
      <div className={classes.itemText}>
        <Truncate text={owner.displayName} />
        <span className="kr-small kr-dimmed">{t(owner.kind === 'user' ? 'user' : 'service')}</span>
      </div>
      {onRemove !== null && (
        <Tooltip label={isOnly ? t('lastOwner') : t('remove')}>
          <ActionIcon
            aria-label={t('removeOwner', { name: owner.displayName })}
            data-disabled={isOnly}
            aria-disabled={isOnly}
            onClick={() => {
              if (!isOnly) onRemove();
            }}
          >
            <IconTrash size={16} stroke={1.75} />
          </ActionIcon>
        </Tooltip>
      )}
    </li>
  );
}
