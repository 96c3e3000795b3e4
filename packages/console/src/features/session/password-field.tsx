import { PasswordInput } from '@mantine/core';
import { IconCheck, IconPoint } from '@tabler/icons-react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import classes from './password-field.module.css';
import { checkPassword, type RuleState } from './password-rules.ts';
import { sessionWords } from './session.words.ts';

function Rule(props: { readonly state: RuleState; readonly text: string }) {
  const { t } = useWords(sessionWords);
  const isMet = props.state === 'met';
  const Icon = isMet ? IconCheck : IconPoint;
  return (
    <span role="listitem" className={isMet ? 'kr-green' : ''}>
      <Icon size={16} stroke={1.75} aria-hidden />
      {props.text}
      {isMet && <span className="kr-visually-hidden">{t('ruleMet')}</span>}
    </span>
  );
}

/** A new password with the rules for it, ticked while one types as far as the page can judge. */
export function NewPasswordField(props: {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | null;
  /** E-mail address and names of the person: a password of nothing else is refused. */
  readonly context: readonly string[];
}) {
  const { t } = useWords(sessionWords);
  const rules = checkPassword(props.value, props.context);
  return (
    <PasswordInput
      name={props.name}
      label={props.label}
      required
      withAsterisk={false}
      autoComplete="new-password"
      maxLength={1024}
      visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      description={
        // Spans, because what describes a field is a paragraph.
        <span role="list" className={classes.rules}>
          <Rule state={rules.length} text={t('ruleLength')} />
          <Rule state="open" text={t('ruleCommon')} />
          <Rule state={rules.names} text={t('ruleNames')} />
        </span>
      }
      value={props.value}
      error={asFieldError(props.error)}
      // The library says so of every other field, but not of this one.
      aria-invalid={props.error !== null}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}
