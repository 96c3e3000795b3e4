import type { User } from '@keyreeve/sdk';
import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useId } from 'react';
import { queryClient } from '../../api/query-client.ts';
import { sessionQuery, useSession } from '../../api/session.ts';
import { chooseLanguage } from '../../i18n/i18n.ts';
import { Rich, say, useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { ActionButton } from '../../ui/action-button.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { notifyDone } from '../../ui/notify.tsx';
import { Page } from '../../ui/page.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { accountQuery, type UserPatch, updateUser } from '../accounts/accounts-queries.ts';
import { AccountConflict } from '../accounts/conflict.tsx';
import { LanguageField, NameFields, TextField } from '../accounts/text-fields.tsx';
import {
  type AccountEditor,
  type AccountKit,
  bindField,
  toPatch,
  useAccountEditor,
} from '../accounts/use-account-editor.ts';
import { PasswordPanel } from './password-panel.tsx';
import classes from './profile.module.css';
import { profileWords } from './profile.words.ts';
import { SessionsPanel } from './sessions-panel.tsx';

interface OwnValues {
  readonly displayName: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly locale: User['locale'];
}

/** What everybody may change of oneself; role and address are for administrators. */
const KIT: AccountKit<User, OwnValues> = {
  fields: ['displayName', 'firstName', 'lastName', 'locale'],
  toValues: ({ displayName, firstName, lastName, locale }) => ({
    displayName,
    firstName: firstName ?? '',
    lastName: lastName ?? '',
    locale,
  }),
  save: (seen, values, changed) =>
    updateUser(seen, toPatch(values, changed, ['firstName', 'lastName']) as UserPatch),
  reload: (id) => queryClient.fetchQuery({ ...accountQuery('user', id), staleTime: 0 }),
};

export function ProfilePage() {
  const { t } = useWords(profileWords);
  const { account } = useSession();
  const { data, error, refetch } = useQuery(accountQuery('user', account.id));
  if (data !== undefined) return <Profile user={data} />;
  return (
    <Page title={t('title')}>
      {error === null ? (
        <SkeletonRows height={58} />
      ) : (
        <LoadFailed error={error} onRetry={() => void refetch()} />
      )}
    </Page>
  );
}

function Profile({ user }: { readonly user: User }) {
  const { t } = useWords(profileWords);
  const { t: tUi } = useWords(uiWords);
  const formId = useId();
  const editor = useAccountEditor(user, KIT);
  const { values, changed } = editor;
  const save = async (): Promise<boolean> => {
    const isLanguageChanged = changed.includes('locale');
    const isSaved = await editor.save();
    if (!isSaved) return false;
    if (isLanguageChanged) await chooseLanguage(values.locale);
    notifyDone(say(profileWords, 'saved'));
    await queryClient.invalidateQueries(sessionQuery);
    return true;
  };
  return (
    <Page
      title={t('title')}
      meta={<bdi>{user.email}</bdi>}
      actions={
        <ActionButton type="submit" form={formId} disabled={changed.length === 0} loading={editor.isSaving}>
          {tUi('save')}
        </ActionButton>
      }
    >
      <div className={classes.columns}>
        <div className={classes.stack}>
          <About id={formId} user={user} editor={editor} onSave={() => void save()} />
          <SessionsPanel />
        </div>
        <div className={classes.stack}>
          <PasswordPanel user={user} />
          <Appearance />
        </div>
      </div>
      <AccountConflict editor={editor} kit={KIT} />
      <LeaveGuard changeCount={changed.length} isSaving={editor.isSaving} onSave={save} />
    </Page>
  );
}

function About(props: {
  readonly id: string;
  readonly user: User;
  readonly editor: AccountEditor<User, OwnValues>;
  readonly onSave: () => void;
}) {
  const { user, editor } = props;
  const { t } = useWords(profileWords);
  const { t: tAccount } = useWords(accountWords);
  const { faults } = editor;
  const form = useFocusOnFault<HTMLFormElement>(editor.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (editor.changed.length > 0 && !editor.isSaving) props.onSave();
  };
  const field = bindField(editor);
  return (
    <Panel title={t('about')} description={tAccount(user.role)}>
      <form id={props.id} ref={form} className={classes.fields} noValidate onSubmit={submit}>
        <Refusal className={classes.wide ?? ''}>{faults.rest}</Refusal>
        <div className={classes.wide}>
          <TextField
            label={tAccount('displayName')}
            description={t('displayNameHint')}
            {...field('displayName')}
          />
        </div>
        <NameFields first={field('firstName')} last={field('lastName')} />
        <div className={classes.wide}>
          <div className={classes.label}>{tAccount('email')}</div>
          <bdi>{user.email}</bdi>
          <p className={classes.hint}>
            {user.role === 'admin' ? (
              <Rich
                words={profileWords}
                k="emailHintAdmin"
                parts={{
                  a: <Link className={classes.link} to="/users/$id" params={{ id: user.id }} />,
                }}
              />
            ) : (
              t('emailHint')
            )}
          </p>
        </div>
        <div>
          <LanguageField {...field('locale')} />
          <p className={classes.hint}>{t('languageHint')}</p>
        </div>
      </form>
    </Panel>
  );
}

function Appearance() {
  const { t } = useWords(profileWords);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const id = useId();
  return (
    <Panel title={t('appearance')} description={t('appearanceText')}>
      <div id={id} className={classes.label}>
        {t('theme')}
      </div>
      <SegmentedControl
        aria-labelledby={id}
        value={colorScheme}
        onChange={(value) => setColorScheme(value === 'light' || value === 'dark' ? value : 'auto')}
        data={[
          { value: 'auto', label: t('themeAuto') },
          { value: 'light', label: t('themeLight') },
          { value: 'dark', label: t('themeDark') },
        ]}
      />
    </Panel>
  );
}
