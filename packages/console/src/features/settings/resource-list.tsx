import { ActionIcon, Button, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import { isWebAddress, LIMITS } from './settings-draft.ts';
import type { SettingsForm } from './use-settings-form.ts';

const PLUS = <IconPlus size={16} stroke={1.75} />;

/** The address that is being typed, and what keeps it out of the list. */
function useNewResource(list: readonly string[], onAdd: (resource: string) => void) {
  const { t } = useWords(settingsWords);
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const findFault = (resource: string): string | null => {
    if (!isWebAddress(resource)) return t('resourceInvalid');
    if (list.includes(resource)) return t('resourceTwice');
    return list.length >= LIMITS.resources ? t('tooMany', { max: LIMITS.resources }) : null;
  };
  const add = () => {
    const resource = text.trim();
    const found = findFault(resource);
    setFault(found);
    if (found !== null) return;
    onAdd(resource);
    setText('');
  };
  const type = (typed: string) => {
    setText(typed);
    setFault(null);
  };
  return { text, type, add, fault };
}

function Resource(props: { readonly resource: string; readonly onRemove: () => void }) {
  const { t } = useWords(settingsWords);
  return (
    <li className={classes.resource}>
      <Truncate text={props.resource} isMono />
      <ActionIcon aria-label={t('resourceRemove', { resource: props.resource })} onClick={props.onRemove}>
        <IconX size={16} stroke={1.75} />
      </ActionIcon>
    </li>
  );
}

/** Services that tokens may be asked for: a list of addresses, and a field that adds one. */
export function ResourceList({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  const id = useId();
  const list = form.current.tokenResources;
  const set = (next: string[]) => form.set('tokenResources', next);
  const { text, type, add, fault } = useNewResource(list, (resource) => set([...list, resource]));
  const isChanged = form.isChanged('tokenResources');
  const saved = form.saved.tokenResources;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    add();
  };
  return (
    <div role="group" aria-labelledby={id}>
      <div id={id} className={classes.label}>
        {t('resources')}
      </div>
      <div className={classes.hint}>{t('resourcesHint')}</div>
      {list.length > 0 && (
        <ul className={classes.resources}>
          {list.map((resource) => (
            <Resource
              key={resource}
              resource={resource}
              onRemove={() => set(list.filter((each) => each !== resource))}
            />
          ))}
        </ul>
      )}
      <TextInput
        aria-label={t('resourceAdd')}
        placeholder="https://api.example.com"
        maxLength={512}
        value={text}
        error={asFieldError(fault ?? form.faultOf('tokenResources'))}
        data-changed={isChanged || undefined}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        // Whoever leaves the field for Save means the address to be saved.
        onBlur={() => {
          if (text.trim() !== '') add();
        }}
        inputContainer={(input) => (
          <div className={classes.line}>
            <div className={classes.grow}>{input}</div>
            <Button variant="default" disabled={text.trim() === ''} onClick={add} leftSection={PLUS}>
              {t('choiceAdd')}
            </Button>
          </div>
        )}
      />
      <Was isChanged={isChanged} value={saved.length === 0 ? t('none') : saved.join(', ')} />
    </div>
  );
}
