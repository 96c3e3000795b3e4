import type { Key } from '@keyreeve/sdk';
import { useSession } from '../../api/session.ts';
import { formatRelative } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ConflictDialog, type ConflictRow } from '../../ui/conflict-dialog.tsx';
import { isSame } from '../../ui/is-same.ts';
import { useNow } from '../../ui/use-now.ts';
import { Fault } from './dialog-fault.tsx';
import { editKeyWords } from './edit-key.words.ts';
import { changedResourcesOf } from './edit-key-draft.ts';
import { PatternPills } from './key-access.tsx';
import { refreshKeys } from './key-calls.ts';
import { limitsWords } from './limits.words.ts';
import { LimitsDraftText, LimitsText } from './limits-text.tsx';
import type { Conflict, KeyEdit } from './use-edit-key.ts';

/** Shown when the key is no longer in the version that the form began with. */
export function EditKeyConflict(props: {
  readonly edit: KeyEdit;
  readonly isOpen: boolean;
  readonly onDiscard: () => void;
}) {
  const { edit, onDiscard } = props;
  const { t } = useWords(editKeyWords);
  const { conflict, base } = edit;
  const rows = useRows(edit);
  return (
    <ConflictDialog
      isOpen={props.isOpen && conflict !== null}
      title={t('staleTitle')}
      text={
        <>
          <Fault error={edit.error} />
          {conflict !== null && base !== null && <ConflictStory conflict={conflict} base={base} />}
        </>
      }
      rows={rows}
      isBusy={edit.isSaving}
      onDiscard={() => {
        edit.closeConflict();
        onDiscard();
        void refreshKeys();
      }}
      onSave={() => {
        if (conflict !== null) edit.saveOver(conflict.saved);
      }}
      onClose={edit.closeConflict}
    />
  );
}

function resourcesText(resources: readonly string[] | undefined): string {
  return JSON.stringify(resources ?? []);
}

/** Only fields of which the two sides differ; what the person has left alone is not part of the save. */
function useRows({ conflict, base, draft, changes }: KeyEdit): readonly ConflictRow[] {
  const { t } = useWords(editKeyWords);
  const { t: limitText } = useWords(limitsWords);
  if (conflict === null || base === null) return [];
  const { saved } = conflict;
  const rows: ConflictRow[] = [];
  if (changes.comment !== undefined || saved.comment !== base.comment)
    rows.push({
      id: 'comment',
      label: t('comment'),
      saved: <bdi>{saved.comment}</bdi>,
      ...(changes.comment === undefined ? {} : { yours: <bdi>{changes.comment}</bdi> }),
    });
  for (const [index, scope] of saved.scopes.entries()) {
    const mine = draft === null ? undefined : changedResourcesOf(base, draft, index);
    const wasChanged = resourcesText(scope.resources) !== resourcesText(base.scopes[index]?.resources);
    if (mine === undefined && !wasChanged) continue;
    rows.push({
      id: `scope ${index}`,
      label: t('patterns'),
      saved: <PatternPills resources={scope.resources} shownMax={20} />,
      ...(mine === undefined ? {} : { yours: <PatternPills resources={mine} shownMax={20} /> }),
    });
  }
  const ranges = changes.ipRanges;
  if (ranges !== undefined || resourcesText(saved.ipRanges) !== resourcesText(base.ipRanges))
    rows.push({
      id: 'ipRanges',
      label: t('ipRanges'),
      saved: addresses(saved.ipRanges),
      ...(ranges === undefined ? {} : { yours: addresses(ranges) }),
    });
  if (changes.limits !== undefined || !isSame(saved.limits, base.limits))
    rows.push({
      id: 'limits',
      label: limitText('title'),
      saved: <LimitsText value={saved.limits} />,
      ...(changes.limits === undefined || draft === null
        ? {}
        : { yours: <LimitsDraftText value={draft.limits} /> }),
    });
  return rows;
}

function addresses(ranges: readonly string[]) {
  return ranges.length === 0 ? null : <span className="kr-mono">{ranges.join(', ')}</span>;
}

/** Who saved what and when, as far as that may be known. */
function ConflictStory({ conflict, base }: { readonly conflict: Conflict; readonly base: Key }) {
  const { t, language } = useWords(editKeyWords);
  const { account } = useSession();
  const now = useNow();
  const { saved, change } = conflict;
  const ago = formatRelative(change?.at ?? saved.updatedAt, now, language);
  const name = change?.actor.name ?? null;
  if (change !== null && change.actor.id === account.id) return <p>{t('staleSelf', { ago })}</p>;
  if (name === null) return <p>{t('staleUnknown', { ago })}</p>;
  const hasOtherPatterns = JSON.stringify(saved.scopes) !== JSON.stringify(base.scopes);
  return <p>{t(hasOtherPatterns ? 'stalePatterns' : 'staleOther', { name, ago })}</p>;
}
