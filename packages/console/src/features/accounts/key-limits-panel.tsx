import { useWords } from '../../i18n/words.tsx';
import type { FieldFaults } from '../../ui/field-faults.ts';
import { Panel } from '../../ui/panel.tsx';
import { limitsWords } from '../keys/limits.words.ts';
import type { LimitsDraft } from '../keys/limits-draft.ts';
import { LimitsFields } from '../keys/limits-fields.tsx';

/** What each key of the account is held to: for administrators alone. */
export function KeyLimitsPanel(props: {
  readonly value: LimitsDraft;
  readonly faults: FieldFaults;
  readonly onChange: (value: LimitsDraft) => void;
}) {
  const { t } = useWords(limitsWords);
  return (
    <Panel title={t('accountTitle')} description={t('accountHint')}>
      <LimitsFields
        value={props.value}
        faultOf={(field) => props.faults.of(`keyLimits.${field}`)}
        onChange={props.onChange}
      />
    </Panel>
  );
}
