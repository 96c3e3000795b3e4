import { describeError, isOutcomeUnknown } from '../../errors/describe-error.ts';
import { useWords } from '../../i18n/words.tsx';
import { Refusal } from '../../ui/refusal.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { keyDialogsWords } from './key-dialogs.words.ts';

/** On top of a dialog: why the server refused, and what to do about it. */
export function Fault(props: {
  readonly error: unknown;
  /** A key or a secret was asked for: made unseen, it stands in the list, and would be made a second time. */
  readonly isMinting?: boolean;
}) {
  const { t, language } = useWords(uiWords);
  const words = useWords(keyDialogsWords);
  if (props.error === null || props.error === undefined) return null;
  const { title, remedy, detail, requestId } = describeError(props.error, language);
  return (
    <Refusal mb="sm" title={title}>
      {detail !== null && <p>{detail}</p>}
      <p>{props.isMinting === true && isOutcomeUnknown(props.error) ? words.t('lookFirst') : remedy}</p>
      {requestId !== null && (
        <p className="kr-small">
          {t('request')} <span className="kr-mono">{requestId}</span>
        </p>
      )}
    </Refusal>
  );
}
