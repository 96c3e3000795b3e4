import type { AuditEntry } from '@keyreeve/sdk';
import { formatDate, formatDateLong } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { useNow } from '../../ui/use-now.ts';
import classes from './audit.module.css';
import { auditWords } from './audit.words.ts';
import { EntryRow } from './entry-row.tsx';
import type { KnownAccounts } from './entry-words.ts';

const HEADS = ['time', 'who', 'what', 'to', 'from'] as const;
const COLUMNS = HEADS.length + 1;

interface Day {
  readonly name: string;
  readonly at: string;
  readonly entries: readonly AuditEntry[];
}

/** The events by the day on which they happened here, in the order of the list. */
function toDays(entries: readonly AuditEntry[]): readonly Day[] {
  const byDay = Map.groupBy(entries, ({ at }) => formatDate(at, 'ja'));
  return [...byDay].map(([name, ofDay]) => ({ name, at: ofDay[0]?.at ?? '', entries: ofDay }));
}

function dayBefore(now: number): number {
  const date = new Date(now);
  return date.setDate(date.getDate() - 1);
}

function DayHead(props: { readonly day: Day }) {
  const { t, language } = useWords(auditWords);
  const now = useNow();
  const { name, at } = props.day;
  const date = formatDateLong(at, language);
  const isToday = name === formatDate(now, 'ja');
  const isYesterday = name === formatDate(dayBefore(now), 'ja');
  const words = isToday ? t('today', { date }) : isYesterday ? t('yesterday', { date }) : date;
  return (
    <tr role="row">
      <th role="rowheader" scope="rowgroup" colSpan={COLUMNS} className={classes.day}>
        {words}
      </th>
    </tr>
  );
}

export function AuditTable(props: {
  readonly entries: readonly AuditEntry[];
  readonly known: KnownAccounts;
}) {
  const { t } = useWords(auditWords);
  return (
    <table className={classes.table} role="table" aria-label={t('log')}>
      <thead role="rowgroup" className={classes.head}>
        <tr role="row">
          {HEADS.map((name) => (
            <th key={name} role="columnheader" scope="col" data-column={name}>
              {t(name)}
            </th>
          ))}
          <th role="columnheader" scope="col" data-column="details">
            <span className="kr-visually-hidden">{t('details')}</span>
          </th>
        </tr>
      </thead>
      {toDays(props.entries).map((day) => (
        <tbody key={day.name} role="rowgroup">
          <DayHead day={day} />
          {day.entries.map((entry) => (
            <EntryRow key={entry.seq} entry={entry} known={props.known} columns={COLUMNS} />
          ))}
        </tbody>
      ))}
    </table>
  );
}
