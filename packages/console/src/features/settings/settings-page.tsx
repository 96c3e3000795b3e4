import { Alert, Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useId } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { NotFoundPage } from '../../app/fault-pages.tsx';
import { Rich, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { Page } from '../../ui/page.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { GallerySection } from './gallery-section.tsx';
import { KeysSection } from './keys-section.tsx';
import { MailSection } from './mail-section.tsx';
import { MailTextsSection } from './mail-texts-section.tsx';
import { NoticesSection } from './notices-section.tsx';
import { GeneralSection, VerificationSection } from './other-sections.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { type StoredSettings, settingsQuery } from './settings-queries.ts';
import { SigningKeysSection } from './signing-keys-section.tsx';
import { TokensSection } from './tokens-section.tsx';
import { useSettingsEditor } from './use-settings-form.ts';

export function SettingsPage() {
  const { t } = useWords(settingsWords);
  const isAdmin = useIsAdmin();
  const { data, error, refetch } = useQuery({ ...settingsQuery, enabled: isAdmin });
  if (!isAdmin) return <NotFoundPage />;
  if (data !== undefined) return <SettingsEditor stored={data} />;
  return (
    <Page title={t('title')}>
      {error === null ? (
        <SkeletonRows height={120} />
      ) : (
        <LoadFailed error={error} onRetry={() => void refetch()} />
      )}
    </Page>
  );
}

function SaveActions(props: {
  readonly changeCount: number;
  readonly isSaving: boolean;
  readonly formId: string;
  readonly onDiscard: () => void;
}) {
  const { t } = useWords(uiWords);
  const { changeCount } = props;
  return (
    <>
      <span className={classes.unsaved} role="status">
        {changeCount > 0 && t('unsaved', { count: changeCount })}
      </span>
      {changeCount > 0 && (
        <Button variant="subtle" color="gray" disabled={props.isSaving} onClick={props.onDiscard}>
          {t('discard')}
        </Button>
      )}
      <ActionButton type="submit" form={props.formId} loading={props.isSaving} disabled={changeCount === 0}>
        {t('save')}
      </ActionButton>
    </>
  );
}

function SettingsEditor(props: { readonly stored: StoredSettings }) {
  const { t } = useWords(settingsWords);
  const formId = useId();
  const editor = useSettingsEditor(props.stored);
  const { form, changeCount } = editor;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changeCount > 0 && !editor.isSaving) void editor.save();
  };
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const actions = (
    <SaveActions
      changeCount={changeCount}
      isSaving={editor.isSaving}
      formId={formId}
      onDiscard={editor.discard}
    />
  );
  return (
    <Page title={t('title')} {...(isNarrow ? {} : { actions })}>
      <form id={formId} ref={editor.formRef} className={classes.form} noValidate onSubmit={submit}>
        {editor.wasChangedMeanwhile && (
          <Alert color="amber" role="alert" tabIndex={-1} data-fault="form">
            <Rich words={settingsWords} k="changedMeanwhile" parts={{ b: <strong /> }} />
          </Alert>
        )}
        <Refusal>{editor.problem}</Refusal>
        <TokensSection form={form} />
        <SigningKeysSection form={form} />
        <KeysSection form={form} />
        <NoticesSection form={form} />
        <MailSection form={form} />
        <MailTextsSection form={form} />
        <GallerySection form={form} />
        <VerificationSection form={form} />
        <GeneralSection form={form} />
      </form>
      {isNarrow && changeCount > 0 && <div className={classes.bar}>{actions}</div>}
      <LeaveGuard changeCount={changeCount} isSaving={editor.isSaving} onSave={editor.save} />
    </Page>
  );
}
