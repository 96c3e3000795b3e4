import type { ServiceAccount } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { queryClient } from '../../api/query-client.ts';
import { useIsAdmin } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { Panel } from '../../ui/panel.tsx';
import { type LimitsDraft, limitsDraftOf } from '../keys/limits-draft.ts';
import { accountFormWords } from './account-form.words.ts';
import { AccountFrame, AccountMissing } from './account-frame.tsx';
import classes from './account-page.module.css';
import { accountPageWords } from './account-page.words.ts';
import { accountQuery, type ServiceAccountPatch, updateServiceAccount } from './accounts-queries.ts';
import { KeyLimitsPanel } from './key-limits-panel.tsx';
import { ManagersField } from './managers-field.tsx';
import { AccountTimeZoneField, MutedNoticesField } from './notice-fields.tsx';
import { noticeFieldsWords } from './notice-fields.words.ts';
import { RightsPanel } from './rights-panel.tsx';
import { DescriptionField, EmailField, LanguageField, TagsField, TextField } from './text-fields.tsx';
import {
  type AccountEditor,
  type AccountKit,
  bindField,
  toPatch,
  useAccountEditor,
  withLimits,
} from './use-account-editor.ts';

interface ServiceValues {
  readonly displayName: string;
  readonly email: string;
  readonly description: string;
  readonly managers: readonly string[];
  readonly tags: readonly string[];
  readonly locale: ServiceAccount['locale'];
  readonly timeZone: ServiceAccount['timeZone'];
  readonly mutedNotices: ServiceAccount['mutedNotices'];
  readonly grants: ServiceAccount['grants'];
  readonly keyLimits: LimitsDraft;
}

const NULLABLE = ['email', 'description'] as const;

const KIT: AccountKit<ServiceAccount, ServiceValues> = {
  fields: [
    'displayName',
    'email',
    'description',
    'managers',
    'tags',
    'locale',
    'timeZone',
    'mutedNotices',
    'grants',
    'keyLimits',
  ],
  toValues: ({
    displayName,
    email,
    description,
    managers,
    tags,
    locale,
    timeZone,
    mutedNotices,
    grants,
    keyLimits,
  }) => ({
    displayName,
    email: email ?? '',
    description: description ?? '',
    managers,
    tags,
    locale,
    timeZone,
    mutedNotices,
    grants,
    keyLimits: limitsDraftOf(keyLimits),
  }),
  save: (seen, values, changed) =>
    updateServiceAccount(
      seen,
      withLimits(toPatch(values, changed, NULLABLE), values.keyLimits) as ServiceAccountPatch,
    ),
  reload: (id) => queryClient.fetchQuery({ ...accountQuery('service', id), staleTime: 0 }),
};

export function ServiceAccountPage() {
  const { id } = useParams({ from: '/shell/service-accounts/$id' });
  const query = useQuery(accountQuery('service', id));
  if (query.data === undefined)
    return <AccountMissing kind="service" error={query.error} onRetry={() => void query.refetch()} />;
  return <ServiceEditor key={id} account={query.data} />;
}

function ServiceEditor({ account }: { readonly account: ServiceAccount }) {
  const isAdmin = useIsAdmin();
  const editor = useAccountEditor(account, KIT);
  const { values, faults, set } = editor;
  return (
    <AccountFrame
      account={account}
      editor={editor}
      kit={KIT}
      login={<span className="kr-mono">{account.technicalName}</span>}
      role={null}
      isManaged={isAdmin}
      information={<ServiceInformation account={account} editor={editor} />}
      rights={
        <>
          <RightsPanel
            value={values.grants}
            faults={faults}
            isOfAdmin={false}
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

/** Managers may change what describes the account; who manages it is for administrators. */
function ServiceInformation(props: {
  readonly account: ServiceAccount;
  readonly editor: AccountEditor<ServiceAccount, ServiceValues>;
}) {
  const { account, editor } = props;
  const { t } = useWords(accountPageWords);
  const { t: tAccount } = useWords(accountWords);
  const { t: tForm } = useWords(accountFormWords);
  const { t: tNotice } = useWords(noticeFieldsWords);
  const field = bindField(editor);
  return (
    <Panel title={t('serviceInformation')}>
      <div className={classes.fields}>
        <TextField
          isMono
          isReadOnly
          label={tAccount('technicalName')}
          description={tForm('technicalNameFixed')}
          value={account.technicalName}
          error={null}
          onChange={() => {}}
        />
        <TextField label={tAccount('displayName')} {...field('displayName')} />
        <EmailField label={tForm('contact')} description={tForm('contactHint')} {...field('email')} />
        <TagsField {...field('tags')} />
        <div className={classes.wide}>
          <DescriptionField {...field('description')} />
        </div>
        <div className={classes.wide}>
          <ManagersField {...field('managers')} />
        </div>
        <LanguageField {...field('locale')} />
        <AccountTimeZoneField {...field('timeZone')} />
        <div className={classes.wide}>
          <MutedNoticesField {...field('mutedNotices')} />
          {editor.values.email === '' && <p className={classes.entryHint}>{tNotice('noAddress')}</p>}
        </div>
      </div>
    </Panel>
  );
}
