import type { Key } from '@keyreeve/sdk';
import { TextInput } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { describeError } from '../../errors/describe-error.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { focusFirstFault } from '../../ui/focus-fault.ts';
import { Day } from '../../ui/time.tsx';
import { Fault } from './dialog-fault.tsx';
import classes from './edit-key.module.css';
import { editKeyWords } from './edit-key.words.ts';
import { isForPackages, type KeyDraft, type ScopeDraft } from './edit-key-draft.ts';
import { findFaults } from './edit-key-faults.ts';
import { IpRangesField } from './ip-ranges-field.tsx';
import { actionsOf, KeyMay } from './key-access.tsx';
import { PATTERNS_MAX } from './key-limits.ts';
import limitClasses from './limits.module.css';
import { limitsWords } from './limits.words.ts';
import { LimitsFields } from './limits-fields.tsx';
import { PatternField } from './pattern-field.tsx';
import { useUncovered } from './use-uncovered.ts';

export interface EditKeyFieldsProps {
  readonly formId: string;
  readonly base: Key;
  readonly draft: KeyDraft;
  readonly error: unknown;
  /** Save was pressed: what is missing may be said now. */
  readonly wasTried: boolean;
  readonly onChange: (next: Partial<KeyDraft>) => void;
  readonly onScopeChange: (index: number, next: Partial<ScopeDraft>) => void;
}

/** What the server says about each field; null on top when the fields say it all. */
function useServerFaults(error: unknown) {
  const { language } = useWords(editKeyWords);
  if (error === null || error === undefined) return { of: () => null, hasOther: false };
  const { fields } = describeError(error, language);
  const isShown = (field: string) => /^(?:comment|ipRanges|limits|scopes\[\d+\]\.resources)\b/.test(field);
  return {
    of: (name: string) => fields.find(({ field }) => field === name)?.message ?? null,
    hasOther: fields.length === 0 || fields.some(({ field }) => !isShown(field)),
  };
}

export function EditKeyFields(props: EditKeyFieldsProps) {
  const { formId, base, draft, error, wasTried, onChange, onScopeChange } = props;
  const { t } = useWords(editKeyWords);
  const { t: limitText } = useWords(limitsWords);
  const server = useServerFaults(error);
  const faults = wasTried ? findFaults(base, draft) : [];
  const first = useRef<HTMLInputElement>(null);
  // The fields come after the dialog has opened, when its own search for the first one is over.
  useEffect(() => first.current?.focus(), []);
  const tooMany = faults.find((fault) => fault.kind === 'tooMany');
  useEffect(() => {
    if (error !== null && error !== undefined) focusFirstFault(formId);
  }, [error, formId]);
  const faultOfScope = (index: number): string | null => {
    if (faults.some((fault) => fault.kind === 'scopeEmpty' && fault.scope === index)) return t('scopeFault');
    if (tooMany !== undefined) return t('tooMany', { count: tooMany.count, max: PATTERNS_MAX });
    return server.of(`scopes[${index}].resources`);
  };
  const commentFault = faults.some((fault) => fault.kind === 'comment')
    ? t('commentFault')
    : server.of('comment');
  return (
    <>
      <Fault error={server.hasOther ? error : null} />
      <TextInput
        ref={first}
        autoComplete="off"
        required
        label={t('comment')}
        description={t('commentHint')}
        error={asFieldError(commentFault)}
        value={draft.comment}
        onChange={(event) => onChange({ comment: event.currentTarget.value })}
      />
      {draft.scopes.map((scope, index) => (
        <ScopeField
          key={index}
          base={base}
          index={index}
          draft={scope}
          fault={faultOfScope(index)}
          faultAt={(at) => server.of(`scopes[${index}].resources[${at}]`)}
          onChange={(next) => onScopeChange(index, next)}
        />
      ))}
      <IpRangesField
        text={draft.ipText}
        faultOf={(index) => server.of(index === null ? 'ipRanges' : `ipRanges[${index}]`)}
        onChange={(ipText) => onChange({ ipText })}
      />
      <fieldset className={limitClasses.group}>
        <legend className={limitClasses.title}>{limitText('title')}</legend>
        <p className={limitClasses.hint}>{limitText('keyHint')}</p>
        <LimitsFields
          value={draft.limits}
          faultOf={(field) => server.of(`limits.${field}`)}
          onChange={(limits) => onChange({ limits })}
        />
      </fieldset>
    </>
  );
}

function ScopeField(props: {
  readonly base: Key;
  readonly index: number;
  readonly draft: ScopeDraft;
  readonly fault: string | null;
  readonly faultAt: (index: number) => string | null;
  readonly onChange: (next: Partial<ScopeDraft>) => void;
}) {
  const { base, index, draft, fault, faultAt, onChange } = props;
  const { t } = useWords(editKeyWords);
  const scope = base.scopes[index] ?? { actions: [], resources: [] };
  const isPackages = isForPackages(scope);
  const uncovered = useUncovered(base.ownerId, isPackages ? draft : null);
  const label = isPackages ? t('patterns') : t('patternsFor', { actions: actionsOf([scope]).join(', ') });
  return (
    <PatternField
      label={label}
      patterns={draft.patterns}
      onChange={(patterns) => onChange({ patterns })}
      text={draft.text}
      onText={(text) => onChange({ text })}
      isForPackages={isPackages}
      fault={fault}
      faultAt={faultAt}
      uncovered={uncovered}
    />
  );
}

/** Read-only: these are chosen once, when a key is made. */
export function FixedFacts({ base }: { readonly base: Key }) {
  const { t } = useWords(editKeyWords);
  return (
    <section className={classes.fixed} aria-label={t('fixed')}>
      <h3 className={classes.fixedTitle}>{t('fixed')}</h3>
      <dl className={classes.facts}>
        <dt>{t('may')}</dt>
        <dd>
          <KeyMay value={base} />
        </dd>
        <dt>{t('owner')}</dt>
        <dd>
          <bdi>{base.owner.displayName}</bdi>
        </dd>
        <dt>{t('expires')}</dt>
        <dd>{base.expiresAt === null ? t('never') : <Day at={base.expiresAt} />}</dd>
      </dl>
    </section>
  );
}
