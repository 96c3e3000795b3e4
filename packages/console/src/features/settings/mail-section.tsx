import { Badge, Radio } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { consoleQuery } from '../../app/console-info.ts';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import { Section, Was } from './section.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';
import type { SettingsForm } from './use-settings-form.ts';

function MailCard(props: {
  readonly value: 'link' | 'value';
  readonly title: string;
  readonly text: string;
  readonly badge?: string;
  readonly isDisabled?: boolean;
}) {
  return (
    <Radio
      value={props.value}
      disabled={props.isDisabled === true}
      classNames={{
        root: classes.card ?? '',
        body: classes.cardBody ?? '',
        label: classes.cardLabel ?? '',
        labelWrapper: classes.cardLabelWrapper ?? '',
      }}
      label={
        <>
          <span className={classes.cardTitle}>
            {props.title}
            {props.badge !== undefined && (
              <Badge color="reeve" variant="outline" size="sm">
                {props.badge}
              </Badge>
            )}
          </span>
          <span className={classes.cardText}>{props.text}</span>
        </>
      }
    />
  );
}

export function MailSection({ form }: { readonly form: SettingsForm }) {
  const { t } = useWords(settingsWords);
  const { data: info } = useQuery(consoleQuery);
  const hasSmtp = info?.hasSmtp !== false;
  const { keyMail } = form.current;
  return (
    <Section title={t('keyMail')} text={t('keyMailText')}>
      <div>
        <Radio.Group
          aria-label={t('keyMail')}
          value={keyMail}
          error={asFieldError(form.faultOf('keyMail'))}
          onChange={(value) => form.set('keyMail', value === 'value' ? 'value' : 'link')}
        >
          <div className={classes.cards}>
            <MailCard
              value="link"
              title={t('keyMailLink')}
              text={t('keyMailLinkText')}
              badge={t('recommended')}
            />
            <MailCard
              value="value"
              title={t('keyMailValue')}
              text={hasSmtp ? t('keyMailValueText') : t('keyMailNoSmtp')}
              isDisabled={!hasSmtp && keyMail !== 'value'}
            />
          </div>
        </Radio.Group>
        <Was
          isChanged={form.isChanged('keyMail')}
          value={t(form.saved.keyMail === 'link' ? 'keyMailLink' : 'keyMailValue')}
        />
      </div>
    </Section>
  );
}
