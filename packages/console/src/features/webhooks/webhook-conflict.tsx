import type { ReactNode } from 'react';
import { Rich, useWords } from '../../i18n/words.tsx';
import { ConflictDialog, type ConflictRow } from '../../ui/conflict-dialog.tsx';
import { isSame } from '../../ui/is-same.ts';
import { Ago } from '../../ui/time.tsx';
import { wordEvent } from './event-texts.ts';
import { WEBHOOK_KIT, type WebhookEditor } from './webhook-editor.ts';
import type { WebhookValues } from './webhook-fields.tsx';
import { webhooksWords } from './webhooks.words.ts';

const LABELS = { url: 'url', description: 'description', eventTypes: 'which' } as const;

/** What somebody else has saved in the meantime, beside the draft of this page. */
export function WebhookConflict({ editor }: { readonly editor: WebhookEditor }) {
  const { t, language } = useWords(webhooksWords);
  const { conflict } = editor;
  if (conflict === null) return null;
  const saved = WEBHOOK_KIT.toValues(conflict.now);
  const base = WEBHOOK_KIT.toValues(conflict.base);
  const toText = (field: keyof WebhookValues, values: WebhookValues): ReactNode => {
    if (field !== 'eventTypes') return values[field] === '' ? null : <bdi>{values[field]}</bdi>;
    const types = values.eventTypes.map((type) => wordEvent(type, language));
    return types.length === 0 ? t('every') : types.join(', ');
  };
  const rows = WEBHOOK_KIT.fields
    .filter((field) => editor.changed.includes(field) || !isSame(saved[field], base[field]))
    .map(
      (field): ConflictRow => ({
        id: field,
        label: t(LABELS[field]),
        saved: toText(field, saved),
        ...(editor.changed.includes(field) ? { yours: toText(field, editor.values) } : {}),
      }),
    );
  return (
    <ConflictDialog
      isOpen
      title={t('conflictTitle')}
      text={
        <Rich words={webhooksWords} k="conflictText" parts={{ ago: <Ago at={conflict.now.updatedAt} /> }} />
      }
      rows={rows}
      isBusy={editor.isSaving}
      onDiscard={() => void editor.settle('discard')}
      onSave={() => void editor.settle('save')}
      onClose={() => void editor.settle('later')}
    />
  );
}
