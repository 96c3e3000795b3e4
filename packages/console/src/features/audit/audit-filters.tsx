import { CloseButton, NativeSelect, type NativeSelectProps } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useWords } from '../../i18n/words.tsx';
import { areaOf, wordAction, wordArea } from './action-texts.ts';
import classes from './audit.module.css';
import { auditWords } from './audit.words.ts';
import { type AuditFilters, auditActionsQuery, PERIODS } from './audit-queries.ts';
import type { KnownAccounts } from './entry-words.ts';
import { WhoSelect } from './who-select.tsx';

export type ChangeFilters = (next: Partial<Record<keyof AuditFilters, string>>) => void;

interface FiltersProps {
  readonly filters: AuditFilters;
  readonly onChange: ChangeFilters;
  readonly known: KnownAccounts;
}

/** A choice whose name stands inside its frame: "Action All". */
function InlineSelect(props: {
  readonly label: string;
  readonly value: string;
  readonly data: NonNullable<NativeSelectProps['data']>;
  readonly onChange: (value: string) => void;
  readonly isLabelHidden?: boolean;
}) {
  return (
    <NativeSelect
      className={classes.filter ?? ''}
      classNames={{
        label: props.isLabelHidden === true ? 'kr-visually-hidden' : (classes.filterLabel ?? ''),
      }}
      label={props.label}
      value={props.value}
      data={props.data}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

function ActionFilter({ filters, onChange }: FiltersProps) {
  const { t, language } = useWords(auditWords);
  const { data: actions = [] } = useQuery(auditActionsQuery);
  // An action of the address is kept in the list while the names of all are on their way.
  const isKnown = filters.action === '' || filters.action.endsWith('.') || actions.includes(filters.action);
  const names = isKnown ? actions : [...actions, filters.action];
  const areas = [...new Set(names.map(areaOf))];
  const groups = areas
    .map((area) => ({
      group: wordArea(area, language),
      items: [
        { value: `${area}.`, label: t('actionArea', { area: wordArea(area, language) }) },
        ...names
          .filter((name) => areaOf(name) === area)
          .map((name) => ({ value: name, label: `${wordAction(name, language)} · ${name}` })),
      ],
    }))
    .toSorted((a, b) => a.group.localeCompare(b.group, language));
  return (
    <InlineSelect
      label={t('action')}
      value={filters.action}
      data={[{ value: '', label: t('actionAll') }, ...groups]}
      onChange={(action) => onChange({ action })}
    />
  );
}

/** A filter that another page has set through the address; here it can be taken away. */
function FilterChip(props: { readonly text: string; readonly onRemove: () => void }) {
  const { t } = useWords(auditWords);
  return (
    <span className={classes.chip}>
      <bdi className={classes.chipText}>{props.text}</bdi>
      <CloseButton size="sm" aria-label={t('removeFilter', { name: props.text })} onClick={props.onRemove} />
    </span>
  );
}

export function Filters(props: FiltersProps) {
  const { filters, onChange, known } = props;
  const { t } = useWords(auditWords);
  const { account, key } = filters;
  return (
    <div className={classes.filters}>
      <ActionFilter {...props} />
      <WhoSelect value={filters.actor} known={known} onChange={(actor) => onChange({ actor })} />
      <InlineSelect
        label={t('period')}
        value={filters.period}
        data={PERIODS.map((period) => ({
          value: period,
          label: t(`period${period === 'all' ? 'All' : period}`),
        }))}
        onChange={(period) => onChange({ period: period === '7d' ? '' : period })}
      />
      <InlineSelect
        label={t('outcome')}
        isLabelHidden
        value={filters.outcome}
        data={[
          { value: 'all', label: t('outcomeAll') },
          { value: 'done', label: t('outcomeDone') },
          { value: 'refused', label: t('outcomeRefused') },
        ]}
        onChange={(outcome) => onChange({ outcome: outcome === 'all' ? '' : outcome })}
      />
      {account !== '' && (
        <FilterChip
          text={t('aboutAccount', { name: known.get(account)?.name ?? account })}
          onRemove={() => onChange({ account: '' })}
        />
      )}
      {key !== '' && <FilterChip text={t('aboutKey', { key })} onRemove={() => onChange({ key: '' })} />}
    </div>
  );
}
