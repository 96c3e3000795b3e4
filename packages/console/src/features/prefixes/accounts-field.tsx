import { MultiSelect } from '@mantine/core';
import { useDebouncedValue, useDisclosure } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { asFieldError } from '../../ui/field-error.tsx';
import forms from '../accounts/forms.module.css';
import { prefixesWords } from './prefixes.words.ts';
import { accountsFoundQuery } from './prefixes-queries.ts';

const SETTLE_MS = 250;
/** As many as the server takes. */
const ACCOUNTS_MAX = 100;

export interface ChosenAccount {
  readonly id: string;
  readonly displayName: string;
}

/** The accounts that ids are reserved for: people and programs, found as one types. */
export function AccountsField(props: {
  readonly value: readonly ChosenAccount[];
  readonly error: string | null;
  readonly onChange: (value: readonly ChosenAccount[]) => void;
}) {
  const { value, error, onChange } = props;
  const { t } = useWords(prefixesWords);
  const [text, setText] = useState('');
  const [isOpen, list] = useDisclosure(false);
  const [q] = useDebouncedValue(text.trim(), SETTLE_MS);
  const { data: found = [] } = useQuery({ ...accountsFoundQuery(q), placeholderData: keepPreviousData });
  const logins = new Map(found.map(({ id, login }) => [id, login]));
  const known = new Map<string, ChosenAccount>([...found, ...value].map((account) => [account.id, account]));
  return (
    <MultiSelect
      label={t('accounts')}
      description={t('accountsHint')}
      classNames={{ pill: forms.pill ?? '' }}
      placeholder={value.length === 0 ? t('findAccount') : ''}
      searchable
      hidePickedOptions
      // The server has searched already, also in addresses, which the field does not see.
      filter={({ options }) => options}
      maxValues={ACCOUNTS_MAX}
      nothingFoundMessage={t('noAccount')}
      data={[...known.values()].map(({ id, displayName }) => ({ value: id, label: displayName }))}
      value={value.map(({ id }) => id)}
      error={asFieldError(error)}
      searchValue={text}
      dropdownOpened={isOpen}
      onDropdownOpen={list.open}
      onDropdownClose={list.close}
      onSearchChange={setText}
      onChange={(ids) => {
        setText('');
        // It would lie over the buttons of the dialog.
        list.close();
        onChange(ids.flatMap((id) => known.get(id) ?? []));
      }}
      renderOption={({ option }) => (
        <span className={forms.option}>
          <bdi>{option.label}</bdi>
          <span className="kr-dimmed kr-small">{logins.get(option.value)}</span>
        </span>
      )}
    />
  );
}
