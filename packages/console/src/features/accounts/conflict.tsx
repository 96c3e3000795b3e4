import type { Permission, User } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../../api/client.ts';
import { useIsAdmin } from '../../api/session.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { ConflictDialog, type ConflictRow } from '../../ui/conflict-dialog.tsx';
import { isSame } from '../../ui/is-same.ts';
import { Ago } from '../../ui/time.tsx';
import type { LimitsDraft } from '../keys/limits-draft.ts';
import { LimitsDraftText } from '../keys/limits-text.tsx';
import { accountPageWords } from './account-page.words.ts';
import { type Account, accountQuery, isUser } from './accounts-queries.ts';
import { noticeFieldsWords } from './notice-fields.words.ts';
import { RightText } from './rights-panel.tsx';
import type { AccountEditor, AccountKit } from './use-account-editor.ts';

function UserName(props: { readonly id: string }) {
  const { data } = useQuery(accountQuery('user', props.id));
  return <bdi>{data?.displayName ?? props.id}</bdi>;
}

/** A value of a field as people read it; null when it holds nothing. */
function useFieldText(): (field: string, value: unknown) => ReactNode {
  const { t } = useWords(accountPageWords);
  const { t: tAccount } = useWords(accountWords);
  const { t: tNotice } = useWords(noticeFieldsWords);
  return (field, value) => {
    if (value === '' || value === null || (Array.isArray(value) && value.length === 0)) return null;
    if (field === 'mutedNotices')
      return (value as User['mutedNotices'])
        .map((kind) => tNotice(kind === 'key.expired' ? 'expired' : 'expiring'))
        .join(', ');
    if (field === 'role') return tAccount(value as User['role']);
    if (field === 'locale') return value === 'ja' ? t('japanese') : t('english');
    if (field === 'grants')
      return (value as readonly Permission[]).map((right) => (
        <RightText key={JSON.stringify(right)} value={right} />
      ));
    if (field === 'keyLimits') return <LimitsDraftText value={value as LimitsDraft} />;
    if (field === 'managers')
      return (value as readonly string[]).map((id) => (
        <div key={id}>
          <UserName id={id} />
        </div>
      ));
    return <bdi>{Array.isArray(value) ? value.join(', ') : (value as string)}</bdi>;
  };
}

/** Who saved the account last, as the audit log says; only administrators may ask it. */
function useLastEditor(account: Account | null): string | null {
  const isAdmin = useIsAdmin();
  const { data } = useQuery({
    queryKey: ['audit', 'last-change', account?.id, account?.version],
    queryFn: async ({ signal }) =>
      (
        await api.GET('/v1/audit', {
          params: { query: { account: account?.id ?? '', action: 'account.', limit: 1 } },
          signal,
        })
      ).data,
    enabled: isAdmin && account !== null,
  });
  return data?.items[0]?.actor.name ?? null;
}

/** What somebody else has saved in the meantime, beside the draft of this page. */
export function AccountConflict<A extends Account, Values extends object>(props: {
  readonly editor: AccountEditor<A, Values>;
  readonly kit: AccountKit<A, Values>;
}) {
  const { editor, kit } = props;
  const { conflict } = editor;
  const { t } = useWords(accountPageWords);
  const { t: tAccount } = useWords(accountWords);
  const toText = useFieldText();
  const editorName = useLastEditor(conflict?.now ?? null);
  if (conflict === null) return null;
  const saved = kit.toValues(conflict.now);
  const base = kit.toValues(conflict.base);
  const rows = kit.fields
    .filter((field) => editor.changed.includes(field) || !isSame(saved[field], base[field]))
    .map(
      (field): ConflictRow => ({
        id: field,
        label: tAccount(field as Parameters<typeof tAccount>[0]),
        saved: toText(field, saved[field]),
        ...(editor.changed.includes(field) ? { yours: toText(field, editor.values[field]) } : {}),
      }),
    );
  const parts = { ago: <Ago at={conflict.now.updatedAt} />, b: <bdi /> };
  return (
    <ConflictDialog
      isOpen
      title={isUser(conflict.now) ? t('userConflict') : t('serviceConflict')}
      text={
        editorName === null ? (
          <Rich words={accountPageWords} k="conflictPlain" parts={parts} />
        ) : (
          <Rich words={accountPageWords} k="conflictBy" values={{ name: editorName }} parts={parts} />
        )
      }
      rows={rows}
      isBusy={editor.isSaving}
      onDiscard={() => void editor.settle('discard')}
      onSave={() => void editor.settle('save')}
      onClose={() => void editor.settle('later')}
    />
  );
}
