import { CloseButton, NativeSelect } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { formatDays, formatDuration } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import classes from './all-keys.module.css';
import { allKeysWords } from './all-keys.words.ts';
import { KEY_FILTERS, type KeyListState, keysQuery, UNUSED_DAYS } from './all-keys-query.ts';

const HOUR_SECONDS = 3_600;

export type ChangeList = (next: {
  readonly q?: string | undefined;
  readonly filter?: string | undefined;
  readonly sort?: string | undefined;
  readonly rows?: number | undefined;
  readonly account?: string | undefined;
  readonly over?: number | undefined;
  readonly hours?: number | undefined;
}) => void;

/** What narrows the list beside the search; what other pages have set can be taken away here. */
export function KeyFilters(props: { readonly state: KeyListState; readonly onChange: ChangeList }) {
  const { state, onChange } = props;
  const { t, language } = useWords(allKeysWords);
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const labels = KEY_FILTERS.map((filter) => ({
    value: filter,
    label: t(filter, { days: formatDays(UNUSED_DAYS, language) }),
  }));
  return (
    <div className={classes.filters}>
      <NativeSelect
        className={classes.select ?? ''}
        aria-label={t('status')}
        value={state.filter}
        data={labels}
        onChange={(event) => {
          const { value } = event.currentTarget;
          onChange({ filter: value === 'all' ? undefined : value, hours: undefined });
        }}
      />
      {isNarrow && (
        <NativeSelect
          className={classes.select ?? ''}
          aria-label={t('sortBy')}
          value={state.sort}
          data={[
            { value: 'createdAt', label: t('newest') },
            { value: 'expiresAt', label: t('expiresSoonest') },
          ]}
          onChange={(event) => onChange({ sort: event.currentTarget.value })}
        />
      )}
      {state.filter === 'stillCalled' && (
        <span className="kr-secondary">
          {t('calledWithin', { period: formatDuration(state.calledHours * HOUR_SECONDS, language) })}
        </span>
      )}
      {state.overDays !== null && (
        <Chip
          text={t('lifetimeOver', { days: formatDays(state.overDays, language) })}
          onRemove={() => onChange({ over: undefined })}
        />
      )}
      {state.account !== null && (
        <AccountChip state={state} onRemove={() => onChange({ account: undefined })} />
      )}
    </div>
  );
}

function Chip(props: { readonly text: string; readonly onRemove: () => void }) {
  const { t } = useWords(allKeysWords);
  return (
    <span className={classes.chip}>
      {props.text}
      <CloseButton size="sm" aria-label={t('removeFilter', { name: props.text })} onClick={props.onRemove} />
    </span>
  );
}

/** The address holds the id only; the name comes with the first of its keys. */
function AccountChip(props: { readonly state: KeyListState; readonly onRemove: () => void }) {
  const { t } = useWords(allKeysWords);
  const { data } = useQuery(keysQuery(props.state, undefined));
  const name = data?.items[0]?.account.displayName;
  return (
    <Chip
      text={name === undefined ? t('ofOneAccount') : t('ofAccount', { name })}
      onRemove={props.onRemove}
    />
  );
}
