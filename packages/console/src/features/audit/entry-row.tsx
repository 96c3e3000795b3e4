import type { AuditEntry } from '@keyreeve/sdk';
import { ActionIcon } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconClockCog, IconUserQuestion } from '@tabler/icons-react';
import { memo, type ReactNode, useId, useState } from 'react';
import { formatClock } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountName } from '../../ui/account-mark.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import classes from './audit.module.css';
import { auditWords } from './audit.words.ts';
import { EntryDetail } from './entry-detail.tsx';
import { actorOf, type KnownAccounts, originOf, targetOf, whatOf } from './entry-words.ts';

/** `2026-11-22 14:05:31 UTC`, to be compared with other logs. */
function toUtc(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** Nobody who has an account: the server itself, or a stranger. */
function NamelessActor(props: { readonly icon: ReactNode; readonly name: string }) {
  return (
    <span className={classes.nameless}>
      <span className={classes.namelessMark}>{props.icon}</span>
      {props.name}
    </span>
  );
}

function Actor(props: { readonly entry: AuditEntry; readonly known: KnownAccounts }) {
  const { entry, known } = props;
  const { t } = useWords(auditWords);
  if (entry.actor.kind === 'anonymous') {
    return (
      <NamelessActor
        icon={<IconUserQuestion size={16} stroke={1.75} aria-hidden />}
        name={t('notSignedIn')}
      />
    );
  }
  if (entry.actor.kind === 'system')
    return <NamelessActor icon={<IconClockCog size={16} stroke={1.75} aria-hidden />} name="Keyreeve" />;
  return <AccountName {...actorOf(entry, known)} />;
}

interface RowProps {
  readonly entry: AuditEntry;
  readonly known: KnownAccounts;
  readonly columns: number;
}

/** One event; its button opens what else there is to say below it. */
export const EntryRow = memo(function EntryRow({ entry, known, columns }: RowProps) {
  const { t, language } = useWords(auditWords);
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const what = whatOf(entry, language);
  const target = targetOf(entry, known, language);
  const time = formatClock(entry.at);
  const Chevron = isOpen ? IconChevronUp : IconChevronDown;
  return (
    <>
      <tr role="row" data-open={isOpen || undefined}>
        <td role="cell" data-label={t('time')} className={classes.time}>
          <time dateTime={entry.at} title={toUtc(entry.at)}>
            {time}
          </time>
        </td>
        <td role="cell" data-label={t('who')}>
          <Actor entry={entry} known={known} />
        </td>
        <td role="cell" data-label={t('what')} data-narrow="title">
          <span className={entry.outcome === 'refused' ? `${classes.what} kr-red` : classes.what}>
            {what}
          </span>
          <span className={classes.technical}>{entry.action}</span>
        </td>
        <td role="cell" data-label={t('to')} data-narrow="wide">
          <Truncate text={target.main} isMono={target.isMono} />
          {target.sub !== null && <Truncate text={target.sub} className="kr-dimmed kr-small" />}
        </td>
        <td role="cell" data-label={t('from')}>
          <Truncate text={originOf(entry)} />
          <span className={classes.address}>{entry.ip}</span>
        </td>
        <td role="cell" className={classes.toggle}>
          <ActionIcon
            aria-expanded={isOpen}
            aria-controls={isOpen ? id : undefined}
            aria-label={t('detailsOf', { what, time })}
            onClick={() => setOpen((before) => !before)}
          >
            <Chevron size={16} stroke={1.75} aria-hidden />
          </ActionIcon>
        </td>
      </tr>
      {isOpen && (
        <tr role="row" id={id} data-detail>
          <td role="cell" colSpan={columns} className={classes.detailCell}>
            <EntryDetail entry={entry} known={known} />
          </td>
        </tr>
      )}
    </>
  );
});
