import { Pill, PillsInput } from '@mantine/core';
import { IconBulb } from '@tabler/icons-react';
import { type ClipboardEvent, type KeyboardEvent, type ReactNode, useRef } from 'react';
import { findPatternHint, type PatternFault } from '../../format/pattern-view.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { FieldError } from '../../ui/field-error.tsx';
import { PatternText } from './key-access.tsx';
import classes from './pattern-field.module.css';
import { patternFieldWords } from './pattern-field.words.ts';
import { addPatterns, findPatternFault, splitPatterns } from './pattern-list.ts';

const FAULTS_SHOWN = 3;
const ADDING_KEYS = ['Enter', ',', '、'];

export interface PatternFieldProps {
  readonly label: string;
  readonly patterns: readonly string[];
  readonly onChange: (patterns: readonly string[]) => void;
  /** What is typed and not yet a pill; kept outside, so that nothing typed is lost. */
  readonly text: string;
  readonly onText: (text: string) => void;
  /** Package patterns have fewer characters, and mind no case. */
  readonly isForPackages: boolean;
  /** What the server or the form says about the pattern at this place; what a pattern cannot be is found here. */
  readonly faultAt?: (index: number) => string | null;
  /** What is wrong with the list as a whole. */
  readonly fault?: string | null;
  /** Existing packages that nothing holds yet, for the hint about `X.*`. */
  readonly uncovered?: readonly string[];
}

/** The ways to add a pattern and to take it back. */
function usePatternEntry({ patterns, onChange, text, onText, isForPackages }: PatternFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const add = (added: string) => {
    const parts = splitPatterns(added);
    onText('');
    if (parts.length > 0) onChange(addPatterns(patterns, parts, isForPackages));
  };
  const remove = (index: number) => {
    onChange(patterns.filter((_, each) => each !== index));
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    // Enter that ends the composing of a Japanese word is not yet an answer.
    if (event.nativeEvent.isComposing) return;
    if (ADDING_KEYS.includes(event.key)) {
      event.preventDefault();
      add(text);
    }
    if (event.key === 'Backspace' && text === '' && patterns.length > 0) remove(patterns.length - 1);
  };
  const onPaste = (event: ClipboardEvent<HTMLInputElement>) => {
    const pasted = event.clipboardData.getData('text');
    if (splitPatterns(pasted).length < 2) return;
    event.preventDefault();
    add(`${text}${pasted}`);
  };
  return { field, remove, handlers: { onKeyDown, onPaste, onBlur: () => add(text) } };
}

/** Patterns as pills: Enter, a comma or leaving the field adds, several lines may be pasted, Backspace removes. */
export function PatternField(props: PatternFieldProps) {
  const { patterns, onChange, text, onText, isForPackages } = props;
  const { t } = useWords(patternFieldWords);
  const { field, remove, handlers } = usePatternEntry(props);
  const faults = patterns.map((pattern, index) => {
    const own = findPatternFault(pattern, isForPackages);
    return own === null ? (props.faultAt?.(index) ?? null) : wordFault(t, pattern, own, isForPackages);
  });
  const messages = [...faults, props.fault ?? null].filter((fault) => fault !== null);
  return (
    <div>
      <PillsInput
        label={props.label}
        error={messages.length === 0 ? null : <FaultList messages={messages} />}
        inputWrapperOrder={['label', 'input', 'error']}
        classNames={{ input: classes.input ?? '' }}
      >
        <Pill.Group>
          {patterns.map((pattern, index) => (
            <PatternPill
              key={pattern}
              pattern={pattern}
              isFaulty={faults[index] !== null}
              onRemove={() => remove(index)}
            />
          ))}
          <PillsInput.Field
            ref={field}
            className={classes.field ?? ''}
            value={text}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            placeholder={patterns.length === 0 ? t('placeholder') : t('add')}
            onChange={(event) => onText(event.currentTarget.value)}
            {...handlers}
          />
        </Pill.Group>
      </PillsInput>
      <p className={classes.below}>
        <Rich words={patternFieldWords} k={isForPackages ? 'hint' : 'hintOther'} parts={{ code: <code /> }} />
      </p>
      <LeftOut patterns={patterns} uncovered={props.uncovered ?? []} onChange={onChange} />
    </div>
  );
}

type Translate = ReturnType<typeof useWords<keyof typeof FAULT_KEYS>>['t'];
const FAULT_KEYS = { character: '', characterOther: '', tooLong: '' };

function wordFault(t: Translate, value: string, fault: PatternFault, isForPackages: boolean): string {
  if (fault.kind === 'length')
    return t('tooLong', { value: `${value.slice(0, 40)}…`, max: fault.charactersMax });
  return t(isForPackages ? 'character' : 'characterOther', { value, character: fault.character });
}

function FaultList(props: { readonly messages: readonly string[] }): ReactNode {
  return props.messages
    .slice(0, FAULTS_SHOWN)
    .map((message) => <FieldError key={message}>{message}</FieldError>);
}

function PatternPill(props: {
  readonly pattern: string;
  readonly isFaulty: boolean;
  readonly onRemove: () => void;
}) {
  const { t } = useWords(patternFieldWords);
  return (
    <Pill
      withRemoveButton
      onRemove={props.onRemove}
      removeButtonProps={{
        'aria-label': t('remove', { pattern: props.pattern }),
        'aria-hidden': false,
        tabIndex: 0,
      }}
      data-faulty={props.isFaulty || undefined}
      classNames={{ root: classes.pill ?? '', label: classes.pillLabel ?? '', remove: classes.remove ?? '' }}
    >
      {props.isFaulty ? (
        <bdi className="kr-mono">{props.pattern}</bdi>
      ) : (
        <PatternText pattern={props.pattern} />
      )}
    </Pill>
  );
}

function cured(patterns: readonly string[], pattern: string, suggestion: string): readonly string[] {
  const replaced = patterns.map((each) => (each === pattern ? suggestion : each));
  return addPatterns([], replaced, true);
}

/** `X.*` leaves out an existing `X`: says so, and mends it at a press. */
function LeftOut(props: {
  readonly patterns: readonly string[];
  readonly uncovered: readonly string[];
  readonly onChange: (patterns: readonly string[]) => void;
}) {
  const { patterns, uncovered, onChange } = props;
  const { t } = useWords(patternFieldWords);
  const hints = patterns.flatMap((pattern) => {
    const hint = findPatternHint(pattern, uncovered);
    return hint === null ? [] : [{ pattern, ...hint }];
  });
  return (
    <div aria-live="polite">
      {hints.map(({ pattern, name, suggestion }) => (
        <p key={pattern} className={classes.hint}>
          <IconBulb size={16} stroke={1.75} className="kr-amber" aria-hidden />
          <span>
            <Rich
              words={patternFieldWords}
              k="leavesOut"
              values={{ pattern, name }}
              parts={{ code: <code /> }}
            />{' '}
            <button
              type="button"
              className={classes.cure}
              onClick={() => onChange(cured(patterns, pattern, suggestion))}
            >
              {t('cure', { pattern: suggestion })}
            </button>
          </span>
        </p>
      ))}
    </div>
  );
}
