import type { User } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { useIsAdmin, useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { Panel } from '../../ui/panel.tsx';
import { type LimitsDraft, limitsDraftOf } from '../keys/limits-draft.ts';
import { AccountFrame, AccountMissing } from './account-frame.tsx';
import classes from './account-page.module.css';
import { accountPageWords } from './account-page.words.ts';
import { accountQuery, type UserPatch, updateUser } from './accounts-queries.ts';
import { KeyLimitsPanel } from './key-limits-panel.tsx';
import { AccountTimeZoneField, MutedNoticesField } from './notice-fields.tsx';
import { RightsPanel } from './rights-panel.tsx';
import { EmailField, LanguageField, NameFields, RoleField, TagsField, TextField } from './text-fields.tsx';
import {
  type AccountEditor,
  type AccountKit,
  bindField,
  toPatch,
  useAccountEditor,
  withLimits,
} from './use-account-editor.ts';

interface UserValues {
  readonly firstName: string;
  readonly lastName: string;
  readonly displayName: string;
  readonly email: string;
  readonly role: User['role'];
  readonly locale: User['locale'];
  readonly timeZone: User['timeZone'];
  readonly mutedNotices: User['mutedNotices'];
  readonly tags: readonly string[];
  readonly grants: User['grants'];
  readonly keyLimits: LimitsDraft;
}

const NULLABLE = ['firstName', 'lastName'] as const;

const KIT: AccountKit<User, UserValues> = {
  fields: [
    'firstName',
    'lastName',
    'displayName',
    'email',
    'role',
    'locale',
    'timeZone',
    'mutedNotices',
    'tags',
    'grants',
    'keyLimits',
  ],
  toValues: ({ firstName, lastName, ...user }) => ({
    firstName: firstName ?? '',
    lastName: lastName ?? '',
    displayName: user.displayName,
    email: user.email,
    role: user.role,
    locale: user.locale,
    timeZone: user.timeZone,
    mutedNotices: user.mutedNotices,
    tags: user.tags,
    grants: user.grants,
    keyLimits: limitsDraftOf(user.keyLimits),
  }),
  save: (seen, values, changed) =>
    updateUser(seen, withLimits(toPatch(values, changed, NULLABLE), values.keyLimits) as UserPatch),
  reload: (id) => queryClient.fetchQuery({ ...accountQuery('user', id), staleTime: 0 }),
};

export function UserPage() {
  const { id } = useParams({ from: '/shell/users/$id' });
  const query = useQuery(accountQuery('user', id));
  if (query.data === undefined)
    return <AccountMissing kind="user" error={query.error} onRetry={() => void query.refetch()} />;
  return <UserEditor key={id} user={query.data} />;
}

function UserEditor({ user }: { readonly user: User }) {
  const { t: tAccount } = useWords(accountWords);
  const isAdmin = useIsAdmin();
  const editor = useAccountEditor(user, KIT);
  const { values, faults, set } = editor;
  return (
    <AccountFrame
      account={user}
      editor={editor}
      kit={KIT}
      login={<bdi>{user.email}</bdi>}
      role={tAccount(user.role)}
      isManaged={isAdmin}
      information={<UserInformation user={user} editor={editor} isAdmin={isAdmin} />}
      rights={
        <>
          <RightsPanel
            value={values.grants}
            faults={faults}
            isOfAdmin={values.role === 'admin'}
            onChange={isAdmin ? (grants) => set('grants', grants) : null}
          />
          {isAdmin && (
            <KeyLimitsPanel
              value={values.keyLimits}
              faults={faults}
              onChange={(limits) => set('keyLimits', limits)}
            />
          )}
        </>
      }
    />
  );
}

/**
 * People may change their own names, language and time zone, and mute mails; the rest is for administrators, who see
 * what is muted: a user who has heard nothing may ask them why.
 */
function UserInformation(props: {
  readonly user: User;
  readonly editor: AccountEditor<User, UserValues>;
  readonly isAdmin: boolean;
}) {
  const { t } = useWords(accountPageWords);
  const { t: tAccount } = useWords(accountWords);
  const { account } = useSession();
  const isReadOnly = !props.isAdmin;
  const field = bindField(props.editor);
  return (
    <Panel title={t('userInformation')}>
      <div className={classes.fields}>
        <NameFields first={field('firstName')} last={field('lastName')} />
        <TextField label={tAccount('displayName')} {...field('displayName')} />
        <EmailField label={tAccount('email')} {...field('email')} isReadOnly={isReadOnly} />
        <RoleField {...field('role')} isReadOnly={isReadOnly} />
        <TagsField {...field('tags')} isReadOnly={isReadOnly} />
        <LanguageField {...field('locale')} />
        <AccountTimeZoneField {...field('timeZone')} />
        <div className={classes.wide}>
          <MutedNoticesField {...field('mutedNotices')} isReadOnly={account.id !== props.user.id} />
        </div>
      </div>
    </Panel>
  );
}
