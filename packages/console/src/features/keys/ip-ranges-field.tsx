import { Textarea } from '@mantine/core';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { editKeyWords } from './edit-key.words.ts';
import { ipRangesOf } from './ip-ranges.ts';

/** From where a key may be used; the server alone judges what an address is. */
export function IpRangesField(props: {
  readonly text: string;
  /** What the server says of the entry at a place, or with null of all of them. */
  readonly faultOf: (index: number | null) => string | null;
  readonly onChange: (text: string) => void;
}) {
  const { text, faultOf, onChange } = props;
  const { t } = useWords(editKeyWords);
  const faulty = ipRangesOf(text)
    .map((value, index) => ({ value, message: faultOf(index) }))
    .find(({ message }) => message !== null);
  const fault =
    faulty === undefined
      ? faultOf(null)
      : t('ipFault', { value: faulty.value, message: faulty.message ?? '' });
  return (
    <Textarea
      autosize
      minRows={1}
      maxRows={6}
      spellCheck={false}
      autoComplete="off"
      classNames={{ input: 'kr-mono' }}
      label={t('ipRanges')}
      description={t('ipHint')}
      error={asFieldError(fault)}
      value={text}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
