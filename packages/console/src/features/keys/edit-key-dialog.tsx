import { Button } from '@mantine/core';
import { type FormEvent, useId, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { focusFirstFault } from '../../ui/focus-fault.ts';
import { notifyDone } from '../../ui/notify.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { UnsavedQuestion } from '../../ui/unsaved-question.tsx';
import { CoveragePanel } from './coverage-panel.tsx';
import classes from './edit-key.module.css';
import { editKeyWords } from './edit-key.words.ts';
import { EditKeyConflict } from './edit-key-conflict.tsx';
import { isForPackages } from './edit-key-draft.ts';
import { findFaults } from './edit-key-faults.ts';
import { EditKeyFields, FixedFacts } from './edit-key-fields.tsx';
import type { KeyDialogProps } from './key-request.ts';
import { findPatternFault } from './pattern-list.ts';
import { type KeyEdit, useEditKey } from './use-edit-key.ts';

/** What may be changed after creation: comment, patterns and single packages, allowed addresses. */
export function EditKeyDialog({ value, isOpen, onClose }: KeyDialogProps) {
  const { t } = useWords(editKeyWords);
  const ui = useWords(uiWords);
  const formId = useId();
  const [wasTried, setTried] = useState(false);
  const edit = useEditKey(value, () => {
    notifyDone(t('saved'));
    onClose();
  });
  const { base, draft } = edit;
  const hasPackages = value.scopes.some(isForPackages);
  const [isAsking, setAsking] = useState(false);
  // A stray click or Escape loses nothing that was typed; Cancel says what it does.
  const tryClose = () => (edit.isChanged ? setAsking(true) : onClose());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!edit.isChanged || base === null || draft === null) return;
    setTried(true);
    if (findFaults(base, draft).length === 0) edit.save();
    else focusFirstFault(formId);
  };
  return (
    <>
      <Dialog
        isOpen={isOpen}
        onClose={tryClose}
        title={t('title', { name: value.comment })}
        size={hasPackages ? 'large' : 'medium'}
        isFlush
        actions={
          <>
            <Button variant="default" onClick={onClose}>
              {ui.t('cancel')}
            </Button>
            <ActionButton type="submit" form={formId} disabled={!edit.isChanged} loading={edit.isSaving}>
              {ui.t('save')}
            </ActionButton>
          </>
        }
      >
        {base === null || draft === null ? (
          <NotYet edit={edit} />
        ) : (
          <div className={hasPackages ? classes.columns : ''}>
            <form id={formId} onSubmit={submit} className={classes.form} noValidate>
              <EditKeyFields
                formId={formId}
                base={base}
                draft={draft}
                error={edit.error}
                wasTried={wasTried}
                onChange={edit.change}
                onScopeChange={edit.changeScope}
              />
            </form>
            {hasPackages && <Preview edit={edit} />}
            <FixedFacts base={base} />
          </div>
        )}
      </Dialog>
      <EditKeyConflict edit={edit} isOpen={isOpen} onDiscard={onClose} />
      <UnsavedQuestion
        isOpen={isOpen && isAsking}
        lost={Object.keys(edit.changes).length}
        onBack={() => setAsking(false)}
        onLeave={onClose}
      />
    </>
  );
}

function NotYet({ edit }: { readonly edit: KeyEdit }) {
  const { query } = edit;
  if (query.isError) return <LoadFailed error={query.error} onRetry={() => void query.refetch()} />;
  return <SkeletonRows rows={5} height={58} />;
}

/** The right half: what the patterns match now, and single packages to be ticked. */
function Preview({ edit }: { readonly edit: KeyEdit }) {
  const { base, draft, changeScope } = edit;
  const index = base?.scopes.findIndex(isForPackages) ?? -1;
  const scope = draft?.scopes[index];
  if (base === null || draft === null || scope === undefined) return null;
  const actions = base.scopes[index]?.actions ?? [];
  return (
    <div className={classes.preview}>
      <CoveragePanel
        ownerId={base.ownerId}
        patterns={scope.patterns.filter((pattern) => findPatternFault(pattern, true) === null)}
        singles={scope.singles}
        onSingles={(singles) => changeScope(index, { singles })}
        isOnlyNew={actions.length === 1 && actions[0] === 'package:pushnew'}
      />
    </div>
  );
}
