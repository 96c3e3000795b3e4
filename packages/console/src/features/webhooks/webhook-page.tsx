import { KeyreeveError } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { IconMapQuestion, IconSend } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useId } from 'react';
import { useIsAdmin } from '../../api/session.ts';
import { NotFoundPage } from '../../app/fault-pages.tsx';
import { say, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { useFocusOnFault } from '../../ui/focus-fault.ts';
import { LeaveGuard } from '../../ui/leave-guard.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Page } from '../../ui/page.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { EmptyState, LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { useAccountEditor } from '../accounts/use-account-editor.ts';
import { DeliveriesPanel } from './deliveries-panel.tsx';
import { WebhookConflict } from './webhook-conflict.tsx';
import { WEBHOOK_KIT, type WebhookEditor } from './webhook-editor.ts';
import { WebhookFields } from './webhook-fields.tsx';
import { WebhookStatusPanel } from './webhook-status-panel.tsx';
import classes from './webhooks.module.css';
import { webhooksWords } from './webhooks.words.ts';
import { sendTest, type Webhook, webhookQuery } from './webhooks-queries.ts';

export function WebhookPage() {
  const isAdmin = useIsAdmin();
  const { id } = useParams({ from: '/shell/webhooks/$id' });
  const { data, error, refetch } = useQuery({ ...webhookQuery(id), enabled: isAdmin });
  if (!isAdmin) return <NotFoundPage />;
  if (data === undefined) return <Missing error={error} onRetry={() => void refetch()} />;
  return <Editor key={id} value={data} />;
}

function Missing(props: { readonly error: unknown; readonly onRetry: () => void }) {
  const { error } = props;
  const { t } = useWords(webhooksWords);
  const navigate = useNavigate();
  const isGone = error instanceof KeyreeveError && error.status === 404;
  return (
    <Page title={isGone ? t('goneTitle') : t('one')} crumb={{ label: t('title'), to: '/webhooks' }}>
      {isGone ? (
        <EmptyState
          icon={<IconMapQuestion size={20} stroke={1.75} aria-hidden />}
          title={t('goneTitle')}
          text={t('goneText')}
          action={
            <Button variant="default" onClick={() => void navigate({ to: '/webhooks' })}>
              {t('toList')}
            </Button>
          }
        />
      ) : error === null ? (
        <SkeletonRows height={58} />
      ) : (
        <LoadFailed error={error} onRetry={props.onRetry} />
      )}
    </Page>
  );
}

function TestButton({ value }: { readonly value: Webhook }) {
  const { t } = useWords(webhooksWords);
  const test = useMutation({
    mutationFn: () => sendTest(value.id),
    onSuccess: () => notifyDone(say(webhooksWords, 'tested')),
    onError: notifyFailure,
  });
  return (
    <ActionButton
      variant="default"
      leftSection={<IconSend size={16} stroke={1.75} aria-hidden />}
      disabled={value.state !== 'active'}
      loading={test.isPending}
      onClick={() => test.mutate()}
    >
      {t('test')}
    </ActionButton>
  );
}

function Editor({ value }: { readonly value: Webhook }) {
  const { t } = useWords(webhooksWords);
  const formId = useId();
  const editor = useAccountEditor(value, WEBHOOK_KIT);
  const save = async (): Promise<boolean> => {
    const isSaved = await editor.save();
    if (isSaved) notifyDone(say(webhooksWords, 'saved'));
    return isSaved;
  };
  return (
    <Page
      title={new URL(value.url).host}
      crumb={{ label: t('title'), to: '/webhooks' }}
      actions={
        <>
          <TestButton value={value} />
          <ActionButton
            type="submit"
            form={formId}
            disabled={editor.changed.length === 0}
            loading={editor.isSaving}
          >
            {t('save')}
          </ActionButton>
        </>
      }
    >
      <div className={classes.columns}>
        <Form id={formId} editor={editor} onSave={() => void save()} />
        <WebhookStatusPanel value={value} onChanged={(after) => editor.adopt(value, after)} />
      </div>
      <DeliveriesPanel value={value} />
      <WebhookConflict editor={editor} />
      <LeaveGuard changeCount={editor.changed.length} isSaving={editor.isSaving} onSave={save} />
    </Page>
  );
}

function Form(props: { readonly id: string; readonly editor: WebhookEditor; readonly onSave: () => void }) {
  const { editor } = props;
  const { t } = useWords(webhooksWords);
  const form = useFocusOnFault<HTMLFormElement>(editor.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (editor.changed.length > 0 && !editor.isSaving) props.onSave();
  };
  return (
    <Panel title={t('one')}>
      <form id={props.id} ref={form} noValidate onSubmit={submit}>
        <Refusal mb="sm">{editor.faults.rest}</Refusal>
        <WebhookFields values={editor.values} faults={editor.faults} set={editor.set} />
      </form>
    </Panel>
  );
}
