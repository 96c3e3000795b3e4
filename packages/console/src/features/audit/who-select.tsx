import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import classes from './audit.module.css';
import { auditWords } from './audit.words.ts';
import { foundAccountsQuery, type KnownAccount } from './audit-queries.ts';
import type { KnownAccounts } from './entry-words.ts';

const SETTLE_MS = 250;

/** Who did it: an account, found by typing its name. */
export function WhoSelect(props: {
  readonly value: string;
  readonly known: KnownAccounts;
  readonly onChange: (id: string) => void;
}) {
  const { value, known } = props;
  const { t } = useWords(auditWords);
  const [text, setText] = useState('');
  const [settled] = useDebouncedValue(text.trim(), SETTLE_MS);
  const chosen = known.get(value);
  // While the chosen name stands in the field, it is no search.
  const q = settled === (chosen?.name ?? '') ? '' : settled;
  const { data: found = [] } = useQuery(foundAccountsQuery(q));
  const isListed = value === '' || found.some(({ id }) => id === value);
  const accounts: readonly KnownAccount[] = isListed
    ? found
    : [chosen ?? { id: value, kind: 'user', name: value, login: value }, ...found];
  const logins = new Map(accounts.map(({ id, login }) => [id, login]));
  const itemsOf = (kind: KnownAccount['kind']) =>
    accounts.filter((account) => account.kind === kind).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <Select
      className={classes.filter}
      classNames={{ label: classes.filterLabel ?? '' }}
      label={t('who')}
      placeholder={t('whoAnyone')}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('removeFilter', { name: t('who') }) }}
      nothingFoundMessage={t('whoNobody')}
      value={value === '' ? null : value}
      onChange={(id) => props.onChange(id ?? '')}
      onSearchChange={setText}
      // The server has searched, in names and logins.
      filter={({ options }) => options}
      data={[
        { group: t('users'), items: itemsOf('user') },
        { group: t('serviceAccounts'), items: itemsOf('service') },
      ].filter(({ items }) => items.length > 0)}
      renderOption={({ option }) => (
        <span className={classes.option}>
          <bdi className="kr-truncate">{option.label}</bdi>
          <bdi className="kr-truncate kr-dimmed kr-small">{logins.get(option.value)}</bdi>
        </span>
      )}
      comboboxProps={{ width: 280, position: 'bottom-start' }}
    />
  );
}
