import type { User } from '@keyreeve/sdk';
import { Button, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { IconMail } from '@tabler/icons-react';
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
import { AccountTimeZoneField, MutedNoticesField } from '../accounts/notice-fields.tsx';
import { noticeFieldsWords } from '../accounts/notice-fields.words.ts';
import { LanguageField, NameFields, TextField } from '../accounts/text-fields.tsx';
import {
  type AccountEditor,
  type AccountKit,
  bindField,
  toPatch,
  useAccountEditor,
} from '../accounts/use-account-editor.ts';
import { GalleryUsagePanel } from '../packages/gallery-usage-panel.tsx';
import { FeedsPanel } from './feeds-panel.tsx';
import { PasswordPanel } from './password-panel.tsx';
import classes from './profile.module.css';
import { profileWords } from './profile.words.ts';
import { SessionsPanel } from './sessions-panel.tsx';

interface OwnValues {
  readonly displayName: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly locale: User['locale'];
  readonly timeZone: User['timeZone'];
  readonly mutedNotices: User['mutedNotices'];
}

/** What everybody may change of oneself; role and address are for administrators. */
const KIT: AccountKit<User, OwnValues> = {
  fields: ['displayName', 'firstName', 'lastName', 'locale', 'timeZone', 'mutedNotices'],
  toValues: ({ displayName, firstName, lastName, locale, timeZone, mutedNotices }) => ({
    displayName,
    firstName: firstName ?? '',
    lastName: lastName ?? '',
    locale,
    timeZone,
    mutedNotices,
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
          <OwnForm id={formId} user={user} editor={editor} onSave={() => void save()} />
          <FeedsPanel />
          <SessionsPanel />
        </div>
        <div className={classes.stack}>
          <PasswordPanel user={user} />
          <GalleryUsagePanel accountId={user.id} />
          <Appearance />
        </div>
      </div>
      <AccountConflict editor={editor} kit={KIT} />
      <LeaveGuard changeCount={changed.length} isSaving={editor.isSaving} onSave={save} />
    </Page>
  );
}

interface PartProps {
  readonly user: User;
  readonly editor: AccountEditor<User, OwnValues>;
}

function OwnForm(props: PartProps & { readonly id: string; readonly onSave: () => void }) {
  const { user, editor } = props;
  const form = useFocusOnFault<HTMLFormElement>(editor.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (editor.changed.length > 0 && !editor.isSaving) props.onSave();
  };
  return (
    <form id={props.id} ref={form} className={classes.stack} noValidate onSubmit={submit}>
      <About user={user} editor={editor} />
      <Notices user={user} editor={editor} />
    </form>
  );
}

function About({ user, editor }: PartProps) {
  const { t } = useWords(profileWords);
  const { t: tAccount } = useWords(accountWords);
  const field = bindField(editor);
  return (
    <Panel title={t('about')} description={tAccount(user.role)}>
      <div className={classes.fields}>
        <Refusal className={classes.wide ?? ''}>{editor.faults.rest}</Refusal>
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
        <AccountTimeZoneField {...field('timeZone')} />
      </div>
    </Panel>
  );
}

function Notices({ user, editor }: PartProps) {
  const { t } = useWords(noticeFieldsWords);
  const { t: tProfile } = useWords(profileWords);
  return (
    <Panel
      title={t('title')}
      actions={
        <Button
          component={Link}
          to="/mails"
          variant="default"
          leftSection={<IconMail size={16} stroke={1.75} aria-hidden />}
        >
          {tProfile(user.role === 'admin' ? 'mails' : 'myMails')}
        </Button>
      }
    >
      <MutedNoticesField {...bindField(editor)('mutedNotices')} />
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
