import { type ReactNode, useId } from 'react';
import { useWords } from '../../i18n/words.tsx';
import classes from './settings.module.css';
import { settingsWords } from './settings.words.ts';

/** One subject of the settings: what it is about on the left, its fields on the right. */
export function Section(props: {
  readonly title: string;
  readonly text: string;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={classes.section} aria-labelledby={id}>
      <div className={classes.about}>
        <h2 id={id} className={classes.sectionTitle}>
          {props.title}
        </h2>
        <p className={classes.sectionText}>{props.text}</p>
      </div>
      <div className={classes.fields}>{props.children}</div>
    </section>
  );
}

/** What a changed value was before; nothing beside an unchanged one. */
export function Was(props: { readonly isChanged: boolean; readonly value: string }) {
  const { t } = useWords(settingsWords);
  if (!props.isChanged) return null;
  return <span className={classes.was}>{t('was', { value: props.value })}</span>;
}
