import type { PackageDetail } from '@keyreeve/sdk';
import { ActionIcon, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconArrowsExchange, IconPlus, IconTrash } from '@tabler/icons-react';
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
import { OwnerDialog } from './owner-dialog.tsx';
import { OpenRequests } from './owner-requests.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';

type Owner = PackageDetail['ownerAccounts'][number];

/** Who owns the package, for those who manage it. */
export function OwnersPanel(props: { readonly value: PackageDetail }) {
  const { value } = props;
  const { t } = useWords(packagesWords);
  const { account, managedIds } = useSession();
  const [isAdding, adding] = useDisclosure(false);
  const [leaving, setLeaving] = useState<Owner | null>(null);
  const [handingOver, setHandingOver] = useState<Owner | null>(null);
  const mayHandOver = ({ id }: Owner) =>
    account.role === 'admin' || id === account.id || managedIds.includes(id);
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
        <ActionButton
          size="xs"
          variant="default"
          aria-label={t('addOwner')}
          leftSection={<IconPlus size={14} stroke={1.75} />}
          onClick={adding.open}
        >
          {t('add')}
        </ActionButton>
      }
    >
      <ul className={classes.list}>
        {value.ownerAccounts.map((owner) => (
          <OwnerItem
            key={owner.id}
            owner={owner}
            isOnly={value.ownerAccounts.length === 1}
            onRemove={() => setLeaving(owner)}
            onHandOver={mayHandOver(owner) ? () => setHandingOver(owner) : null}
          />
        ))}
      </ul>
      <OpenRequests packageId={value.id} />
      <OwnerDialog value={value} isOpen={isAdding} onClose={adding.close} from={null} />
      <OwnerDialog
        value={value}
        isOpen={handingOver !== null}
        onClose={() => setHandingOver(null)}
        from={handingOver}
      />
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
  readonly onRemove: () => void;
  /** Null: the person does not act for this owner. */
  readonly onHandOver: (() => void) | null;
}) {
  const { owner, isOnly, onRemove, onHandOver } = props;
  const { t } = useWords(packagesWords);
  return (
    <li className={classes.item}>
      <AccountMark name={owner.displayName} kind={owner.kind} />
      <div className={classes.itemText}>
        <Truncate text={owner.displayName} />
        <span className="kr-small kr-dimmed">{t(owner.kind === 'user' ? 'user' : 'service')}</span>
      </div>
      <div className={classes.rowIcons}>
        {onHandOver !== null && (
          <Tooltip label={t('handOver')}>
            <ActionIcon aria-label={t('handOverOf', { name: owner.displayName })} onClick={onHandOver}>
              <IconArrowsExchange size={16} stroke={1.75} />
            </ActionIcon>
          </Tooltip>
        )}
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
      </div>
    </li>
  );
}
