import { Alert } from '@mantine/core';
import { IconCircleX } from '@tabler/icons-react';
import { describeError } from '../../errors/describe-error.ts';
import { useWords } from '../../i18n/words.tsx';
import { uiWords } from '../../ui/ui.words.ts';

/** On top of a dialog: why the server refused, and what to do about it. */
export function Fault(props: { readonly error: unknown }) {
  const { t, language } = useWords(uiWords);
  if (props.error === null || props.error === undefined) return null;
  const { title, remedy, detail, requestId } = describeError(props.error, language);
  return (
    <Alert
      color="red"
      mb="sm"
      role="alert"
      title={title}
      icon={<IconCircleX size={18} stroke={1.75} aria-hidden />}
    >
      {detail !== null && <p>{detail}</p>}
      <p>{remedy}</p>
      {requestId !== null && (
        <p className="kr-small">
          {t('request')} <span className="kr-mono">{requestId}</span>
        </p>
      )}
    </Alert>
  );
}
