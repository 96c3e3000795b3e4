import { Button, SegmentedControl, Switch } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useId, useState } from 'react';
import { useConnection } from '../../api/connection.ts';
import { formatInstant } from '../../format/dates.ts';
import { say, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useNow } from '../../ui/use-now.ts';
import { FreshWebhookSecret } from './fresh-secret.tsx';
import { isStopped } from './webhook-state.tsx';
import classes from './webhooks.module.css';
import { webhooksWords } from './webhooks.words.ts';
import {
  deleteWebhook,
  rotateSecret,
  type SealedWebhook,
  updateWebhook,
  type Webhook,
} from './webhooks-queries.ts';

interface PartProps {
  readonly value: Webhook;
  /** What was changed beside the form is no conflict of it. */
  readonly onChanged: (after: Webhook) => void;
}

/** Whether it sends, what it signs with, and its end. */
export function WebhookStatusPanel(props: PartProps) {
  const { t } = useWords(webhooksWords);
  return (
    <Panel title={t('stateTitle')}>
      <ActiveEntry {...props} />
      <SecretEntry {...props} />
      <DeleteEntry value={props.value} />
    </Panel>
  );
}

function Entry(props: {
  readonly title: ReactNode;
  readonly hint: ReactNode;
  readonly hintId?: string;
  readonly children: ReactNode;
}) {
  return (
    <div className={classes.entry}>
      <div className={classes.entryText}>
        <div className={classes.entryTitle}>{props.title}</div>
        <div className={classes.hint} id={props.hintId}>
          {props.hint}
        </div>
      </div>
      {props.children}
    </div>
  );
}

/** Disabling gives up what waits and so asks before; enabling needs no question. */
function ActiveEntry({ value, onChanged }: PartProps) {
  const { t } = useWords(webhooksWords);
  const { isOffline } = useConnection();
  const [isAsking, asking] = useDisclosure(false);
  const ids = { title: useId(), hint: useId() };
  const isActive = value.state === 'active';
  const change = useMutation({
    mutationFn: (state: Webhook['state']) => updateWebhook(value, { state }),
    onSuccess: (after) => {
      notifyDone(say(webhooksWords, after.state === 'active' ? 'enabledToast' : 'disabledToast'));
      onChanged(after);
    },
    onError: notifyFailure,
    onSettled: asking.close,
  });
  return (
    <>
      <Entry
        title={<span id={ids.title}>{t('activeTitle')}</span>}
        hintId={ids.hint}
        hint={
          isActive ? (
            t('activeText')
          ) : (
            <>
              {value.disabledReason !== null && (
                <p className={isStopped(value) ? 'kr-red' : ''}>{t(value.disabledReason)}</p>
              )}
              {t('disabledText')}
            </>
          )
        }
      >
        <Switch
          aria-labelledby={ids.title}
          aria-describedby={ids.hint}
          checked={isActive}
          disabled={isOffline || change.isPending}
          onChange={(event) => (event.currentTarget.checked ? change.mutate('active') : asking.open())}
        />
      </Entry>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={asking.close}
        title={t('disableTitle')}
        verb={t('disable')}
        isBusy={change.isPending}
        onConfirm={() => change.mutate('disabled')}
      >
        <p>{t('disableText')}</p>
      </ConfirmDialog>
    </>
  );
}

function SecretEntry({ value, onChanged }: PartProps) {
  const { t, language } = useWords(webhooksWords);
  const now = useNow();
  const [isAsking, asking] = useDisclosure(false);
  const [fresh, setFresh] = useState<SealedWebhook | null>(null);
  const { oldSecretUntil } = value;
  const hasTwo = oldSecretUntil !== null && Date.parse(oldSecretUntil) > now;
  return (
    <>
      <Entry
        title={t('secret')}
        hint={hasTwo ? t('oldSecret', { instant: formatInstant(oldSecretUntil, language) }) : t('rotateHint')}
      >
        <Button variant="default" onClick={asking.open}>
          {t('rotate')}
        </Button>
      </Entry>
      <RotateDialog
        value={value}
        isOpen={isAsking}
        onClose={asking.close}
        onRotated={(sealed) => {
          asking.close();
          onChanged(sealed.webhook);
          setFresh(sealed);
        }}
      />
      <FreshWebhookSecret sealed={fresh} title={t('rotatedTitle')} onClose={() => setFresh(null)} />
    </>
  );
}

function RotateDialog(props: {
  readonly value: Webhook;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onRotated: (sealed: SealedWebhook) => void;
}) {
  const { value, onClose, onRotated } = props;
  const { t } = useWords(webhooksWords);
  const { t: tUi } = useWords(uiWords);
  const id = useId();
  const [hours, setHours] = useState('24');
  const rotate = useMutation({
    mutationFn: () => rotateSecret(value.id, Number(hours)),
    onSuccess: onRotated,
    onError: notifyFailure,
  });
  return (
    <Dialog
      isOpen={props.isOpen}
      onClose={rotate.isPending ? null : onClose}
      title={t('rotateTitle')}
      actions={
        <>
          <Button variant="default" data-autofocus disabled={rotate.isPending} onClick={onClose}>
            {tUi('cancel')}
          </Button>
          <ActionButton loading={rotate.isPending} onClick={() => rotate.mutate()}>
            {t('rotateVerb')}
          </ActionButton>
        </>
      }
    >
      <p>{t('rotateText')}</p>
      <div id={id} className={classes.label}>
        {t('overlap')}
      </div>
      <SegmentedControl
        fullWidth
        aria-labelledby={id}
        value={hours}
        onChange={setHours}
        data={[
          { value: '0', label: t('overlapNone') },
          { value: '1', label: t('overlap1') },
          { value: '24', label: t('overlap24') },
          { value: '168', label: t('overlap168') },
        ]}
      />
    </Dialog>
  );
}

function DeleteEntry({ value }: { readonly value: Webhook }) {
  const { t } = useWords(webhooksWords);
  const navigate = useNavigate();
  const [isAsking, asking] = useDisclosure(false);
  const remove = useMutation({
    mutationFn: () => deleteWebhook(value.id),
    onSuccess: () => {
      notifyDone(say(webhooksWords, 'deleted'));
      void navigate({ to: '/webhooks', ignoreBlocker: true });
    },
    onError: notifyFailure,
  });
  return (
    <>
      <Entry title={t('delete')} hint={t('deleteHint')}>
        <Button variant="default" className="kr-red" onClick={asking.open}>
          {t('deleteVerb')}
        </Button>
      </Entry>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={asking.close}
        title={t('deleteTitle')}
        verb={t('deleteConfirm')}
        isBusy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        <p>{t('deleteText')}</p>
      </ConfirmDialog>
    </>
  );
}
