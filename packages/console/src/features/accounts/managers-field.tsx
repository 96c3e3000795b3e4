import type { User } from '@keyreeve/sdk';
import { Input, MultiSelect } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useIsAdmin, useSession } from '../../api/session.ts';
import { useWords } from '../../i18n/words.tsx';
import { accountWords } from '../../ui/account.words.ts';
import { asFieldError } from '../../ui/field-error.tsx';
import { accountFormWords } from './account-form.words.ts';
import { accountQuery, accountsQuery, isUser } from './accounts-queries.ts';
import classes from './forms.module.css';

const SETTLE_MS = 250;
const OFFERED_MAX = 20;
const MANAGERS_MAX = 100;

interface ManagersFieldProps {
  readonly value: readonly string[];
  readonly onChange: (ids: string[]) => void;
  readonly error: string | null;
}

/** The users who manage a service account. Only administrators may read the names of others, and change them. */
export function ManagersField(props: ManagersFieldProps) {
  return useIsAdmin() ? <ManagersSelect {...props} /> : <ManagersText value={props.value} />;
}

function ManagersText(props: { readonly value: readonly string[] }) {
  const { t } = useWords(accountFormWords);
  const { t: tAccount } = useWords(accountWords);
  const { account } = useSession();
  const others = props.value.filter((id) => id !== account.id).length;
  const isOne = others < props.value.length;
  return (
    <Input.Wrapper label={tAccount('managers')} labelElement="div">
      <div className={classes.plain}>
        {isOne && t('managedByYou')} {others > 0 && t('managedByOthers', { count: others })}
        {props.value.length === 0 && t('nobody')}
      </div>
    </Input.Wrapper>
  );
}

/** Names of the chosen users, also of those whom the present search does not find. */
function useNames(ids: readonly string[]): ReadonlyMap<string, string> {
  const { t } = useWords(accountFormWords);
  const answers = useQueries({ queries: ids.map((id) => accountQuery('user', id)) });
  return new Map(
    ids.map((id, index) => [id, answers[index]?.data?.displayName ?? t('unknownUser', { id: id.slice(-6) })]),
  );
}

function ManagersSelect({ value, onChange, error }: ManagersFieldProps) {
  const { t } = useWords(accountFormWords);
  const { t: tAccount } = useWords(accountWords);
  const [text, setText] = useState('');
  const [q] = useDebouncedValue(text.trim(), SETTLE_MS);
  const { data } = useQuery({
    ...accountsQuery('user', {
      sort: 'name',
      order: 'asc',
      state: 'active',
      limit: OFFERED_MAX,
      ...(q === '' ? {} : { q }),
    }),
    placeholderData: keepPreviousData,
  });
  const found: readonly User[] = data?.items.filter(isUser) ?? [];
  const chosen = useNames(value);
  const options = [
    ...[...chosen].map(([id, label]) => ({ value: id, label })),
    ...found
      .filter((user) => !chosen.has(user.id))
      .map((user) => ({ value: user.id, label: user.displayName })),
  ];
  const emails = new Map(found.map((user) => [user.id, user.email]));
  return (
    <MultiSelect
      label={tAccount('managers')}
      description={t('managersHint')}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      classNames={{ pill: classes.pill ?? '' }}
      placeholder={value.length === 0 ? t('findManager') : ''}
      searchable
      hidePickedOptions
      // The server has searched already, also in addresses, which the field does not see.
      filter={({ options: all }) => all}
      maxValues={MANAGERS_MAX}
      nothingFoundMessage={t('noUserFound')}
      data={options}
      value={[...value]}
      error={asFieldError(error)}
      searchValue={text}
      onSearchChange={setText}
      onChange={onChange}
      renderOption={({ option }) => (
        <span className={classes.option}>
          <bdi>{option.label}</bdi>
          <span className="kr-dimmed kr-small">{emails.get(option.value)}</span>
        </span>
      )}
    />
  );
}
