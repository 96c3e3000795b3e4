import { ActionIcon, Button, NativeSelect, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import { IconArrowBackUp, IconPencil } from '@tabler/icons-react';
import { type Ref, useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { NOTICE_KINDS, wordNotice } from '../../ui/notice-texts.ts';
import { Truncate } from '../../ui/truncate.tsx';
import {
  fillName,
  findMailText,
  INTRO_CHARACTERS_MAX,
  type MailName,
  type MailText,
  type MailTexts,
  SUBJECT_CHARACTERS_MAX,
  withMailText,
  withoutMailText,
} from './mail-texts.ts';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import type { SettingsForm } from './use-settings-form.ts';

const LANGUAGES = { en: 'English', ja: '日本語' } as const;
const EXAMPLE_NAME = 'Build agents';

/** Which mail is in hand: the chosen one, or the one that the server has just refused. */
function useMailInHand(form: SettingsForm) {
  const { language } = useWords(settingsWords);
  const [name, setName] = useState<MailName>({ kind: 'key.expiring', locale: language });
  const faulty = form.faultyEntryOf('mailTexts');
  const [seenFaulty, setSeenFaulty] = useState(faulty);
  if (faulty !== seenFaulty) {
    setSeenFaulty(faulty);
    const refused = faulty === null ? undefined : form.current.mailTexts[faulty];
    if (refused !== undefined) setName({ kind: refused.kind, locale: refused.locale });
  }
  return { name, setName };
}

/** The words in which this workspace writes its mails: those that have their own, and one of them in hand. */
export function MailTextsSection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  const { name, setName } = useMailInHand(form);
  const subject = useRef<HTMLInputElement>(null);
  const texts = form.current.mailTexts;
  const set = (next: MailTexts) => form.set('mailTexts', next);
  const edit = (next: MailName) => {
    // Drawn before the focus comes: the field of another mail is another field.
    flushSync(() => setName({ kind: next.kind, locale: next.locale }));
    subject.current?.focus();
  };
  return (
    <Section title={t('mailTexts')} text={t('mailTextsText')}>
      <div>
        <OwnTexts form={form} onEdit={edit} onRemove={(gone) => set(withoutMailText(texts, gone))} />
        <Was
          isChanged={form.isChanged('mailTexts')}
          value={
            form.saved.mailTexts.length === 0
              ? t('none')
              : t('mailTextsWas', { count: form.saved.mailTexts.length })
          }
        />
      </div>
      <WhichMail name={name} onChange={setName} />
      <Words
        // Undo in the fields of one mail must not lead into the words of another.
        key={`${name.kind} ${name.locale}`}
        form={form}
        subjectRef={subject}
        name={name}
        onChange={(part) => set(withMailText(texts, name, part))}
        onRemove={() => set(withoutMailText(texts, name))}
      />
    </Section>
  );
}

/** Where the words of this mail stand in the list, as the server names places in it. */
function placeOf(form: SettingsForm, { kind, locale }: MailName): string {
  const index = form.current.mailTexts.findIndex((text) => text.kind === kind && text.locale === locale);
  return `mailTexts[${index}]`;
}

function OwnTexts(props: {
  readonly form: SettingsForm;
  readonly onEdit: (name: MailName) => void;
  readonly onRemove: (name: MailName) => void;
}) {
  const { form } = props;
  const { t } = useWords(settingsWords);
  const texts = form.current.mailTexts;
  if (texts.length === 0) return <p className={classes.under}>{t('mailTextsNone')}</p>;
  return (
    <ul className={classes.resources} aria-label={t('mailTextsList')}>
      {texts.map((text) => (
        <OwnText
          key={`${text.kind} ${text.locale}`}
          text={text}
          fault={form.faultAt(placeOf(form, text))}
          onEdit={() => props.onEdit(text)}
          onRemove={() => props.onRemove(text)}
        />
      ))}
    </ul>
  );
}

function OwnText(props: {
  readonly text: MailText;
  readonly fault: string | null;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}) {
  const { kind, locale, subject, intro } = props.text;
  const { t, language } = useWords(settingsWords);
  const values = { kind: wordNotice(kind, language), language: LANGUAGES[locale] };
  return (
    <li className={classes.resource}>
      <span className={classes.textName}>
        {values.kind} <span className="kr-dimmed kr-small">{values.language}</span>
        <Truncate text={subject ?? intro ?? ''} className="kr-small kr-secondary" />
        {props.fault !== null && <span className={classes.textFault}>{props.fault}</span>}
      </span>
      <ActionIcon aria-label={t('mailEdit', values)} onClick={props.onEdit}>
        <IconPencil size={16} stroke={1.75} />
      </ActionIcon>
      <ActionIcon aria-label={t('mailRemove', values)} onClick={props.onRemove}>
        <IconArrowBackUp size={16} stroke={1.75} />
      </ActionIcon>
    </li>
  );
}

function WhichMail(props: { readonly name: MailName; readonly onChange: (name: MailName) => void }) {
  const { name, onChange } = props;
  const { t, language } = useWords(settingsWords);
  const id = useId();
  return (
    <div className={classes.which}>
      <NativeSelect
        className={classes.kind ?? ''}
        label={t('mailKind')}
        value={name.kind}
        data={NOTICE_KINDS.map((kind) => ({ value: kind, label: wordNotice(kind, language) }))}
        onChange={(event) => {
          const kind = NOTICE_KINDS.find((each) => each === event.currentTarget.value);
          if (kind !== undefined) onChange({ ...name, kind });
        }}
      />
      <div>
        <div id={id} className={classes.label}>
          {t('mailLanguage')}
        </div>
        <SegmentedControl
          aria-labelledby={id}
          value={name.locale}
          onChange={(locale) => onChange({ ...name, locale: locale === 'ja' ? 'ja' : 'en' })}
          data={[
            { value: 'en', label: <span lang="en">{LANGUAGES.en}</span> },
            { value: 'ja', label: <span lang="ja">{LANGUAGES.ja}</span> },
          ]}
        />
      </div>
    </div>
  );
}

function Words(props: {
  readonly form: SettingsForm;
  readonly subjectRef: Ref<HTMLInputElement>;
  readonly name: MailName;
  readonly onChange: (part: { readonly subject?: string; readonly intro?: string }) => void;
  readonly onRemove: () => void;
}) {
  const { form, name } = props;
  const { t } = useWords(settingsWords);
  const text = findMailText(form.current.mailTexts, name);
  const saved = findMailText(form.saved.mailTexts, name);
  const place = placeOf(form, name);
  const subject = text?.subject ?? '';
  const intro = text?.intro ?? '';
  const common = { placeholder: t('mailUsual'), lang: name.locale, dir: 'auto', autoComplete: 'off' };
  return (
    <>
      <div>
        <TextInput
          {...common}
          ref={props.subjectRef}
          label={t('mailSubject')}
          description={t('mailNameHint')}
          maxLength={SUBJECT_CHARACTERS_MAX}
          data-changed={subject !== (saved?.subject ?? '') || undefined}
          value={subject}
          error={asFieldError(form.faultAt(`${place}.subject`))}
          onChange={(event) => props.onChange({ subject: event.currentTarget.value })}
        />
        {subject !== '' && (
          <p className={classes.under}>{t('mailPreview', { text: fillName(subject, EXAMPLE_NAME) })}</p>
        )}
      </div>
      <Textarea
        {...common}
        label={t('mailIntro')}
        description={t('mailIntroHint')}
        autosize
        minRows={3}
        maxRows={10}
        maxLength={INTRO_CHARACTERS_MAX}
        data-changed={intro !== (saved?.intro ?? '') || undefined}
        value={intro}
        error={asFieldError(form.faultAt(`${place}.intro`))}
        onChange={(event) => props.onChange({ intro: event.currentTarget.value })}
      />
      {text !== null && (
        <div>
          <Button
            variant="default"
            leftSection={<IconArrowBackUp size={16} stroke={1.75} aria-hidden />}
            onClick={props.onRemove}
          >
            {t('mailUsualAgain')}
          </Button>
        </div>
      )}
    </>
  );
}
