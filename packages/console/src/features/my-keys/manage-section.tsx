import type { Key } from '@keyreeve/sdk';
import { Button, NativeSelect, SegmentedControl } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { EmptyState } from '../../ui/states.tsx';
import type { KeyVerb } from '../keys/key-verbs.tsx';
import type { FreshSecrets } from './fresh-secrets.ts';
import { KeyCard } from './key-card.tsx';
import { isShownBy, type KeyFilter, type KeyOrder, orderKeys } from './key-order.ts';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

const SHOWN_FIRST = 5;
const ORDERS = { expiry: 'byExpiry', name: 'byName', use: 'byUse', age: 'byAge' } as const;
const FILTERS = ['all', 'attention', 'disabled'] as const;

interface ManageProps {
  readonly keys: readonly Key[];
  /** The last try to read the keys has failed: the list may lack the newest. */
  readonly isUnread: boolean;
  readonly secrets: FreshSecrets;
  readonly onAct: (verb: KeyVerb, key: Key) => void;
  readonly onCreate: () => void;
}

/** One's own keys as cards: those with a fresh secret on top, the others in the chosen order. */
export function ManageSection(props: ManageProps) {
  const { keys, isUnread, secrets, onAct, onCreate } = props;
  const { t, language } = useWords(myKeysWords);
  const [filter, setFilter] = useState<KeyFilter>('all');
  const [order, setOrder] = useState<KeyOrder>('expiry');
  const [isWhole, setWhole] = useState(false);
  const matching = orderKeys(keys, order, language).filter((key) => isShownBy(filter, key));
  const tops = secrets.all.flatMap((one) => {
    const listed = keys.filter((key) => key.id === one.key.id);
    return listed.length === 0 && isUnread ? [one.key] : listed;
  });
  const rest = matching.filter((key) => secrets.of(key) === null);
  const restMax = isWhole ? rest.length : Math.max(0, SHOWN_FIRST - tops.length);
  const shown = [...tops, ...rest.slice(0, restMax)];
  const total = tops.length + rest.length;
  return (
    <section aria-labelledby="manage-keys" className={classes.section}>
      <div className={classes.manageHead}>
        <h2 id="manage-keys" className={classes.sectionTitle}>
          {t('manage')}
        </h2>
        <div className={classes.controls}>
          <SegmentedControl
            className={classes.filter ?? ''}
            aria-label={t('show')}
            value={filter}
            onChange={setFilter}
            data={FILTERS.map((value) => ({
              value,
              label: (
                <span className={classes.filterLabel}>
                  {t(value)}{' '}
                  <span className="kr-dimmed">{keys.filter((key) => isShownBy(value, key)).length}</span>
                </span>
              ),
            }))}
          />
          <NativeSelect
            className={classes.order ?? ''}
            aria-label={t('sortBy')}
            value={order}
            onChange={(event) => setOrder(event.currentTarget.value as KeyOrder)}
            data={Object.entries(ORDERS).map(([value, word]) => ({ value, label: t(word) }))}
          />
        </div>
      </div>
      <div className={classes.list}>
        {shown.map((key) => (
          <KeyCard key={key.id} value={key} secrets={secrets} onAct={onAct} />
        ))}
        {total === 0 && <NoKeys isFirst={keys.length === 0} filter={filter} onCreate={onCreate} />}
      </div>
      {shown.length < total && (
        <div className={classes.foot}>
          <span className="kr-secondary" role="status">
            {t('shown', { shown: shown.length, total })}
          </span>
          <Button variant="subtle" size="xs" onClick={() => setWhole(true)}>
            {t('showAll')}
          </Button>
        </div>
      )}
    </section>
  );
}

function NoKeys(props: {
  readonly isFirst: boolean;
  readonly filter: KeyFilter;
  readonly onCreate: () => void;
}) {
  const { t } = useWords(myKeysWords);
  const icon = <IconKey size={20} stroke={1.75} aria-hidden />;
  if (!props.isFirst)
    return (
      <EmptyState
        icon={icon}
        title={props.filter === 'attention' ? t('noneAttention') : t('noneDisabled')}
        text={t('noneText')}
      />
    );
  return (
    <EmptyState
      icon={icon}
      title={t('emptyTitle')}
      text={t('emptyText')}
      action={
        <ActionButton leftSection={<IconPlus size={16} stroke={1.75} aria-hidden />} onClick={props.onCreate}>
          {t('createKey')}
        </ActionButton>
      }
    />
  );
}
