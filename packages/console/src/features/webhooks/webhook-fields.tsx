import { Checkbox, Radio, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import type { FieldFaults } from '../../ui/field-faults.ts';
import { EVENT_TYPES, type EventType, wordEvent } from './event-texts.ts';
import classes from './webhooks.module.css';
import { webhooksWords } from './webhooks.words.ts';

export interface WebhookValues {
  readonly url: string;
  readonly description: string;
  /** Empty for all. */
  readonly eventTypes: readonly EventType[];
}

export const WEBHOOK_FIELDS = ['url', 'description', 'eventTypes'] as const;

const URL_CHARACTERS_MAX = 512;
const DESCRIPTION_CHARACTERS_MAX = 256;

/** What a webhook is made of: where it goes, what for, and what it tells. */
export function WebhookFields(props: {
  readonly values: WebhookValues;
  readonly faults: FieldFaults;
  readonly set: <Name extends keyof WebhookValues>(name: Name, value: WebhookValues[Name]) => void;
}) {
  const { values, faults, set } = props;
  const { t } = useWords(webhooksWords);
  return (
    <div className={classes.fields}>
      <TextInput
        type="url"
        label={t('url')}
        description={t('urlHint')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        placeholder="https://hooks.example.com/keyreeve"
        maxLength={URL_CHARACTERS_MAX}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        classNames={{ input: 'kr-mono' }}
        value={values.url}
        error={asFieldError(faults.of('url'))}
        onChange={(event) => set('url', event.currentTarget.value)}
      />
      <TextInput
        label={t('description')}
        maxLength={DESCRIPTION_CHARACTERS_MAX}
        autoComplete="off"
        dir="auto"
        value={values.description}
        error={asFieldError(faults.of('description'))}
        onChange={(event) => set('description', event.currentTarget.value)}
      />
      <EventsField
        value={values.eventTypes}
        error={faults.of('eventTypes')}
        onChange={(types) => set('eventTypes', types)}
      />
    </div>
  );
}

/** All events, or some; of none there is no webhook, so the last one cannot be taken away. */
function EventsField(props: {
  readonly value: readonly EventType[];
  readonly error: string | null;
  readonly onChange: (types: readonly EventType[]) => void;
}) {
  const { value, onChange } = props;
  const { t, language } = useWords(webhooksWords);
  const [kept, setKept] = useState<readonly EventType[]>(value.length === 0 ? EVENT_TYPES : value);
  const hasAll = value.length === 0;
  const choose = (wanted: readonly string[]) => {
    const types = EVENT_TYPES.filter((type) => wanted.includes(type));
    if (types.length === 0) return;
    setKept(types);
    onChange(types);
  };
  return (
    <div>
      <Radio.Group
        label={t('which')}
        value={hasAll ? 'every' : 'some'}
        error={asFieldError(props.error)}
        onChange={(choice) => onChange(choice === 'every' ? [] : kept)}
      >
        <div className={classes.radios}>
          <Radio value="every" label={t('every')} />
          <Radio value="some" label={t('some')} />
        </div>
      </Radio.Group>
      {!hasAll && (
        <Checkbox.Group aria-label={t('some')} value={[...value]} onChange={choose}>
          <div className={classes.events}>
            {EVENT_TYPES.map((type) => (
              <Checkbox key={type} value={type} label={wordEvent(type, language)} />
            ))}
          </div>
        </Checkbox.Group>
      )}
    </div>
  );
}
