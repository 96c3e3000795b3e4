import type { BodyOf, PackageDetail, PackageVersion } from '@keyreeve/sdk';
import { Button, Checkbox, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { readFaults } from '../../ui/field-faults.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';

const REASONS = ['legacy', 'criticalBugs', 'other'] as const;
type Reason = (typeof REASONS)[number];
type Wish = BodyOf<'deprecateVersions'>;

const REASON_WORDS = { legacy: 'isLegacy', criticalBugs: 'hasBugs', other: 'otherReason' } as const;

function useDeprecation(packageId: string, onDone: () => void) {
  const { t } = useWords(packagesWords);
  return useMutation({
    mutationFn: (body: Wish) =>
      api.PUT('/v1/packages/{id}/deprecations', { params: { path: { id: packageId } }, body }),
    onSuccess: async (_data, { versions: [version = ''], reasons }) => {
      await queryClient.invalidateQueries({ queryKey: ['packages'] });
      notifyDone(t(reasons.length === 0 ? 'deprecationLifted' : 'deprecationDone', { version }));
      onDone();
    },
  });
}

interface DeprecateDialogProps {
  readonly value: PackageDetail;
  /** Null: the dialog is closed. */
  readonly version: PackageVersion | null;
  readonly onClose: () => void;
}

/** Says why a version should not be used any more, or takes that back. It stays installable. */
export function DeprecateDialog(props: DeprecateDialogProps) {
  const { version } = props;
  // Each version has a form of its own, which begins with what is said of it.
  return version === null ? null : <DeprecateForm key={version.version} {...props} version={version} />;
}

interface Draft {
  readonly reasons: readonly Reason[];
  readonly message: string;
  /** Id of what is to be used in its place, and its version; blank: any. */
  readonly otherId: string;
  readonly otherVersion: string;
}

function draftOf({ deprecation }: PackageVersion): Draft {
  return {
    reasons: deprecation?.reasons ?? ['legacy'],
    message: deprecation?.message ?? '',
    otherId: deprecation?.alternatePackage?.id ?? '',
    otherVersion: deprecation?.alternatePackage?.version ?? '',
  };
}

function DeprecateForm(props: DeprecateDialogProps & { readonly version: PackageVersion }) {
  const { value, version, onClose } = props;
  const { t, language } = useWords(packagesWords);
  const { t: ui } = useWords(uiWords);
  const [draft, setDraft] = useState(() => draftOf(version));
  const change = useDeprecation(value.id, onClose);
  const faults = readFaults(change.error, language, ['message', 'alternatePackage']);
  const versions = [version.version];
  const submit = () => {
    const message = draft.message.trim();
    const id = draft.otherId.trim();
    const other = draft.otherVersion.trim();
    change.mutate({
      versions,
      reasons: [...draft.reasons],
      message: message === '' ? null : message,
      alternatePackage: id === '' ? null : { id, version: other === '' ? null : other },
    });
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t('deprecateTitle', { version: version.version })}
      subtitle={value.displayId}
      aside={
        version.deprecation !== null && (
          <ActionButton variant="default" onClick={() => change.mutate({ versions, reasons: [] })}>
            {t('liftDeprecation')}
          </ActionButton>
        )
      }
      actions={
        <>
          <Button variant="default" onClick={onClose}>
            {ui('cancel')}
          </Button>
          <ActionButton disabled={draft.reasons.length === 0} loading={change.isPending} onClick={submit}>
            {t('deprecate')}
          </ActionButton>
        </>
      }
    >
      <div className={classes.form}>
        <p>{t('deprecateText')}</p>
        <Refusal>{faults.rest}</Refusal>
        <DeprecateFields
          draft={draft}
          onChange={(next) => setDraft({ ...draft, ...next })}
          faultOf={faults.of}
        />
      </div>
    </Dialog>
  );
}

/** Hints below their fields, so that fields side by side stand on one line. */
const BELOW: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error'];

interface FieldsProps {
  readonly draft: Draft;
  readonly onChange: (next: Partial<Draft>) => void;
  readonly faultOf: (field: string) => string | null;
}

/** What is to be used in its place: a package, and if it matters one version of it. */
function Alternative({ draft, onChange, faultOf }: FieldsProps) {
  const { t } = useWords(packagesWords);
  const fault = faultOf('alternatePackage');
  return (
    <div className={classes.alternative}>
      <TextInput
        label={t('useInstead')}
        description={t('useInsteadHint')}
        inputWrapperOrder={BELOW}
        maxLength={100}
        autoComplete="off"
        value={draft.otherId}
        error={asFieldError(fault)}
        onChange={(event) => onChange({ otherId: event.currentTarget.value })}
      />
      <TextInput
        label={t('useInsteadVersion')}
        description={t('useInsteadVersionHint')}
        inputWrapperOrder={BELOW}
        maxLength={128}
        autoComplete="off"
        disabled={draft.otherId.trim() === ''}
        value={draft.otherVersion}
        error={fault !== null && draft.otherVersion !== ''}
        onChange={(event) => onChange({ otherVersion: event.currentTarget.value })}
      />
    </div>
  );
}

function DeprecateFields(props: FieldsProps) {
  const { draft, onChange, faultOf } = props;
  const { t } = useWords(packagesWords);
  return (
    <>
      <Checkbox.Group
        label={t('reasons')}
        value={[...draft.reasons]}
        onChange={(chosen) => onChange({ reasons: REASONS.filter((reason) => chosen.includes(reason)) })}
      >
        <div className={classes.choices}>
          {REASONS.map((reason) => (
            <Checkbox key={reason} value={reason} label={t(REASON_WORDS[reason])} />
          ))}
        </div>
      </Checkbox.Group>
      <Textarea
        label={t('deprecationMessage')}
        description={t('deprecationMessageHint')}
        autosize
        minRows={2}
        maxRows={6}
        maxLength={1_000}
        value={draft.message}
        error={faultOf('message')}
        onChange={(event) => onChange({ message: event.currentTarget.value })}
      />
      <Alternative draft={draft} onChange={onChange} faultOf={faultOf} />
    </>
  );
}
