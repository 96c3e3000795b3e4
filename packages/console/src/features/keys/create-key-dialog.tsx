import type { Key, Permission } from '@keyreeve/sdk';
import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useReturnFocus } from '../../ui/use-return-focus.ts';
import { accountQuery } from '../accounts/accounts-queries.ts';
import { settingsQuery } from '../settings/settings-queries.ts';
import { grantsOf } from './account-grants.ts';
import { AccountGrantsPanel } from './account-grants-panel.tsx';
import { CoveragePanel } from './coverage-panel.tsx';
import classes from './create-key.module.css';
import { createKeyWords } from './create-key.words.ts';
import { type KeyPreset, lifetimeOf, validResourcesOf } from './create-key-draft.ts';
import {
  AccessField,
  CommentField,
  IpRangesPart,
  LifetimePart,
  LimitsPart,
  MailPart,
  OwnerField,
  useFaultWords,
} from './create-key-form.tsx';
import { Fault } from './dialog-fault.tsx';
import type { KeyAccount } from './key-account.ts';
import type { OnMinted } from './key-request.ts';
import { KeyResult } from './key-result.tsx';
import { KeySentence } from './key-sentence.tsx';
import { OtherActionsField } from './other-actions-field.tsx';
import { PatternField } from './pattern-field.tsx';
import { PermissionsField } from './permissions-field.tsx';
import type { SealedKey } from './secret-box.ts';
import { useCoverage } from './use-coverage.ts';
import { type FieldProps, type KeyForm, useCreateKey } from './use-create-key.ts';

export interface CreateKeyDialogProps {
  readonly account: KeyAccount;
  readonly isOpen: boolean;
  /** The dialog, or after it the one-time window, is closed. */
  readonly onClose: () => void;
  /** The key exists. The window with its secret is still open: keep the component mounted until `onClose`. */
  readonly onCreated: (key: Key) => void;
  readonly preset?: KeyPreset;
  /** Takes the secret over; without it the one-time window opens. */
  readonly onMinted?: OnMinted;
}

/** Makes a key and hands its secret over. Keep it mounted: it keeps what was typed, and returns the focus. */
export function CreateKeyDialog(props: CreateKeyDialogProps) {
  const { account, isOpen, onClose, onCreated, preset, onMinted: takeOver } = props;
  const { t } = useWords(createKeyWords);
  const [minted, setMinted] = useState<SealedKey | null>(null);
  useReturnFocus(isOpen || minted !== null);
  return (
    <>
      <CreateKeyWindow
        key={`${account.id} ${preset ?? ''}`}
        account={account}
        isOpen={isOpen && minted === null}
        onClose={onClose}
        preset={preset}
        onMinted={(sealed) => {
          if (takeOver === undefined) setMinted(sealed);
          else {
            takeOver(sealed.key, sealed.box);
            onClose();
          }
          onCreated(sealed.key);
        }}
      />
      <KeyResult
        minted={minted}
        title={t('created')}
        onClose={() => {
          setMinted(null);
          onClose();
        }}
      />
    </>
  );
}

interface WindowProps {
  readonly account: KeyAccount;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly preset: KeyPreset | undefined;
  readonly onMinted: (minted: SealedKey) => void;
}

function CreateKeyWindow({ account, isOpen, onClose, preset, onMinted }: WindowProps) {
  const { t } = useWords(createKeyWords);
  const { t: common } = useWords(uiWords);
  const formId = useId();
  const form = useCreateKey(preset, onMinted);
  const { data: stored, isError } = useQuery({ ...settingsQuery, enabled: isOpen });
  const days = stored === undefined ? undefined : lifetimeOf(form.draft, stored.settings.defaultLifetimeDays);
  const close = () => {
    if (!form.isBusy) onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.submit({ accountId: account.id, hasAddress: account.email !== null, lifetimeDays: days });
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      size="large"
      isFlush
      title={t('title')}
      subtitle={t('forAccount', { name: account.displayName })}
      aside={
        typeof days === 'number' && (
          <KeySentence
            draft={form.draft}
            name={account.displayName}
            ownerId={form.draft.ownerId ?? account.id}
            days={days}
          />
        )
      }
      actions={
        <>
          <Button
            variant="default"
            disabled={form.isBusy}
            onClick={() => {
              form.reset();
              onClose();
            }}
          >
            {common('cancel')}
          </Button>
          <ActionButton
            type="submit"
            form={formId}
            loading={form.isBusy}
            disabled={stored === undefined && !isError}
          >
            {common('create')}
          </ActionButton>
        </>
      }
    >
      <Columns formId={formId} form={form} account={account} onSubmit={submit} />
    </Dialog>
  );
}

/** Takes the focus to the first thing that is wrong, after each refused attempt. */
function useFocusOnFault(refusedCount: number) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (refusedCount === 0) return;
    const faulty = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    (faulty ?? form.current?.querySelector<HTMLElement>('[data-refusal]'))?.focus();
  }, [refusedCount]);
  return form;
}

function Columns(props: {
  readonly formId: string;
  readonly form: KeyForm;
  readonly account: KeyAccount;
  readonly onSubmit: (event: FormEvent) => void;
}) {
  const { form, account } = props;
  const wordOf = useFaultWords(form);
  const element = useFocusOnFault(form.refusedCount);
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const fields = { form, wordOf };
  const side = <Side form={form} account={account} />;
  // On a telephone what the key covers folds in under what it is made of.
  const folded = isNarrow && <div className={classes.folded}>{side}</div>;
  return (
    <form ref={element} id={props.formId} className={classes.columns} onSubmit={props.onSubmit} noValidate>
      <div className={classes.form}>
        <div data-refusal tabIndex={-1} hidden={form.refusal === null}>
          <Fault error={form.refusal} isMinting />
        </div>
        <CommentField {...fields} />
        <LifetimePart {...fields} />
        <AccessField {...fields} account={account} />
        {form.draft.access === 'scoped' ? (
          <ScopedFields {...fields} account={account} folded={folded} />
        ) : (
          folded
        )}
        <IpRangesPart {...fields} />
        <LimitsPart {...fields} />
        <MailPart {...fields} email={account.email} />
      </div>
      {!isNarrow && (
        <div className={classes.side}>
          <div className={classes.sideInner}>{side}</div>
        </div>
      )}
    </form>
  );
}

const ALL_PACKAGES: readonly Permission[] = [{ actions: ['package:*'], resources: ['*'] }];

function ScopedFields({
  account,
  folded,
  ...fields
}: FieldProps & { readonly account: KeyAccount; readonly folded: ReactNode }) {
  const { t } = useWords(createKeyWords);
  const { form, wordOf } = fields;
  const { draft, change } = form;
  const { data } = useQuery(accountQuery(account.kind, account.id));
  // As long as nobody knows, the server decides.
  const grants = data === undefined ? ALL_PACKAGES : grantsOf(data);
  const ownerId = draft.ownerId ?? account.id;
  const { data: coverage } = useCoverage({ ownerId, patterns: validResourcesOf(draft), q: '' });
  return (
    <>
      <OwnerField {...fields} account={account} />
      <PermissionsField {...fields} grants={grants} />
      <PatternField
        label={t('patterns')}
        isForPackages
        patterns={draft.patterns}
        onChange={(patterns) => change({ patterns })}
        text={draft.patternText}
        onText={(patternText) => change({ patternText })}
        fault={wordOf('patterns')}
        faultAt={(index) => wordOf(`pattern:${index}`)}
        uncovered={coverage?.notCovered.packages.map(({ displayId }) => displayId) ?? []}
      />
      {folded}
      <OtherActionsField {...fields} grants={grants} />
    </>
  );
}

function Side({ form, account }: { readonly form: KeyForm; readonly account: KeyAccount }) {
  const { draft, change } = form;
  const { data } = useQuery(accountQuery(account.kind, account.id));
  if (draft.access === 'account') return data === undefined ? null : <AccountGrantsPanel account={data} />;
  return (
    <CoveragePanel
      ownerId={draft.ownerId ?? account.id}
      patterns={validResourcesOf({ ...draft, singles: [] })}
      singles={draft.singles}
      onSingles={(singles) => change({ singles })}
      isOnlyNew={draft.push === 'package:pushnew' && !draft.mayUnlist}
    />
  );
}
