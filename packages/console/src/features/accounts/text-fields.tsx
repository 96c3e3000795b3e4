import { NativeSelect, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { asFieldError } from '../../ui/field-error.tsx';
import { accountFormWords } from './account-form.words.ts';
import classes from './forms.module.css';

const TAG_CHARACTERS_MAX = 50;
const TAGS_MAX = 20;
/** Hints below their fields, so that fields side by side stand on one line. */
const ORDER: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error'];

export interface FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error: string | null;
  readonly isReadOnly?: boolean;
}

/** A line of text in any script, from left or right as it is written. */
export function TextField(
  props: FieldProps & {
    readonly label: string;
    readonly description?: string;
    readonly isFirst?: boolean;
    readonly isMono?: boolean;
  },
) {
  return (
    <TextInput
      label={props.label}
      description={props.description}
      inputWrapperOrder={ORDER}
      maxLength={256}
      autoComplete="off"
      spellCheck={false}
      dir="auto"
      data-autofocus={props.isFirst}
      classNames={{ input: props.isMono === true ? 'kr-mono' : '' }}
      value={props.value}
      error={asFieldError(props.error)}
      readOnly={props.isReadOnly ?? false}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

export function EmailField(
  props: FieldProps & {
    readonly label: string;
    readonly description?: string;
    readonly isFirst?: boolean;
  },
) {
  return (
    <TextInput
      type="email"
      label={props.label}
      description={props.description}
      inputWrapperOrder={ORDER}
      maxLength={254}
      autoComplete="off"
      data-autofocus={props.isFirst}
      value={props.value}
      error={asFieldError(props.error)}
      readOnly={props.isReadOnly ?? false}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

export function DescriptionField(props: FieldProps) {
  const { t: tAccount } = useWords(accountWords);
  return (
    <Textarea
      autosize
      minRows={2}
      maxRows={6}
      maxLength={1000}
      dir="auto"
      label={tAccount('description')}
      value={props.value}
      error={asFieldError(props.error)}
      readOnly={props.isReadOnly ?? false}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** First and last name in the order of the language: 姓 before 名. */
export function NameFields(props: { readonly first: FieldProps; readonly last: FieldProps }) {
  const { t: tAccount, language } = useWords(accountWords);
  const first = <TextField key="first" label={tAccount('firstName')} {...props.first} />;
  const last = <TextField key="last" label={tAccount('lastName')} {...props.last} />;
  return <>{language === 'ja' ? [last, first] : [first, last]}</>;
}

export function TagsField(props: {
  readonly value: readonly string[];
  readonly onChange: (tags: string[]) => void;
  readonly error: string | null;
  readonly isReadOnly?: boolean;
}) {
  const { t } = useWords(accountFormWords);
  const { t: tAccount } = useWords(accountWords);
  return (
    <TagsInput
      label={tAccount('tags')}
      placeholder={props.isReadOnly === true ? '' : t('addTag')}
      maxTags={TAGS_MAX}
      maxLength={TAG_CHARACTERS_MAX}
      acceptValueOnBlur
      classNames={{ pill: classes.pill ?? '' }}
      value={[...props.value]}
      error={asFieldError(props.error)}
      readOnly={props.isReadOnly ?? false}
      onChange={props.onChange}
    />
  );
}

export function LanguageField(props: {
  readonly value: 'en' | 'ja';
  readonly onChange: (value: 'en' | 'ja') => void;
  readonly error: string | null;
  readonly isReadOnly?: boolean;
}) {
  const { t: tAccount } = useWords(accountWords);
  return (
    <NativeSelect
      label={tAccount('locale')}
      value={props.value}
      error={asFieldError(props.error)}
      disabled={props.isReadOnly ?? false}
      data={[
        { value: 'en', label: 'English' },
        { value: 'ja', label: '日本語' },
      ]}
      onChange={(event) => props.onChange(event.currentTarget.value === 'ja' ? 'ja' : 'en')}
    />
  );
}

export function RoleField(props: {
  readonly value: 'admin' | 'member';
  readonly onChange: (value: 'admin' | 'member') => void;
  readonly error: string | null;
  readonly isReadOnly?: boolean;
  readonly description?: string;
}) {
  const { t: tAccount } = useWords(accountWords);
  return (
    <NativeSelect
      label={tAccount('role')}
      description={props.description}
      inputWrapperOrder={ORDER}
      value={props.value}
      error={asFieldError(props.error)}
      disabled={props.isReadOnly ?? false}
      data={[
        { value: 'member', label: tAccount('member') },
        { value: 'admin', label: tAccount('admin') },
      ]}
      onChange={(event) => props.onChange(event.currentTarget.value === 'admin' ? 'admin' : 'member')}
    />
  );
}
