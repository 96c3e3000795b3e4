import type { Key } from '@keyreeve/sdk';
import { Alert } from '@mantine/core';
import { IconCircleX, IconHourglassLow, IconRefresh } from '@tabler/icons-react';
import { type ReactNode, useId, useState } from 'react';
import { describeAgent } from '../../format/agent.ts';
import {
  daysLeft,
  formatDateLong,
  formatDays,
  formatInstant,
  formatNumber,
  formatRelative,
} from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { useNow } from '../../ui/use-now.ts';
import { isRegenerable } from '../keys/key-facts.ts';
import { keyVerbsWords } from '../keys/key-verbs.words.ts';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

const LINES_MAX = 5;

/** Keys that no longer work, and below them those about to stop: a line each, with what mends it. */
export function TroubleBanners(props: {
  readonly keys: readonly Key[];
  readonly onRegenerate: (key: Key) => void;
}) {
  const { keys, onRegenerate } = props;
  const { t, language } = useWords(myKeysWords);
  const now = useNow();
  const expired = keys.filter((key) => key.status === 'expired');
  const expiring = keys.filter((key) => key.status === 'expiring');
  // The hour in which a key stops is the last of its days, until the server has told that it has.
  const daysMax = Math.max(1, ...expiring.map((key) => daysLeft(key.expiresAt ?? '', now)));
  const days = formatDays(daysMax, language);
  return (
    <>
      {expired.length > 0 && (
        <Banner
          tone="red"
          icon={<IconCircleX size={18} stroke={1.75} aria-hidden />}
          title={t('expiredTitle', { count: expired.length })}
          keys={expired}
          onRegenerate={onRegenerate}
          story={(key) => <ExpiredStory value={key} />}
        />
      )}
      {expiring.length > 0 && (
        <Banner
          tone="amber"
          icon={<IconHourglassLow size={18} stroke={1.75} aria-hidden />}
          title={
            expiring.length === 1
              ? t('expiringOne', { days })
              : t('expiringMany', { n: expiring.length, days })
          }
          keys={expiring}
          onRegenerate={onRegenerate}
          story={(key) => <ExpiringStory value={key} />}
        />
      )}
    </>
  );
}

function Banner(props: {
  readonly tone: 'red' | 'amber';
  readonly icon: ReactNode;
  readonly title: string;
  readonly keys: readonly Key[];
  readonly onRegenerate: (key: Key) => void;
  readonly story: (key: Key) => ReactNode;
}) {
  const { tone, icon, title, keys, onRegenerate, story } = props;
  const { t } = useWords(myKeysWords);
  const verbs = useWords(keyVerbsWords);
  const titleId = useId();
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? keys : keys.slice(0, LINES_MAX);
  const hiddenCount = keys.length - shown.length;
  return (
    <Alert
      color={tone}
      icon={icon}
      title={title}
      role={tone === 'red' ? 'alert' : 'status'}
      classNames={{ root: classes.banner ?? '', title: classes.bannerTitle ?? '' }}
    >
      <ul className={classes.bannerLines} aria-label={title} id={titleId}>
        {shown.map((key) => (
          <li key={key.id} className={classes.bannerLine}>
            <span className={classes.bannerText}>
              <bdi className={classes.bannerName}>{key.comment}</bdi>{' '}
              <span className={`${classes.bannerStory} kr-secondary`}>{story(key)}</span>
            </span>
            {isRegenerable(key) && (
              <ActionButton
                variant="default"
                size="xs"
                className={classes.bannerButton ?? ''}
                aria-label={verbs.t('regenerateOf', { name: key.comment })}
                leftSection={<IconRefresh size={16} stroke={1.75} aria-hidden />}
                onClick={() => onRegenerate(key)}
              >
                {verbs.t('regenerate')}
              </ActionButton>
            )}
          </li>
        ))}
      </ul>
      {hiddenCount > 0 && (
        <button type="button" className={classes.more} aria-controls={titleId} onClick={() => setWhole(true)}>
          {t('andMore', { count: hiddenCount })}
        </button>
      )}
    </Alert>
  );
}

function ExpiredStory({ value }: { readonly value: Key }) {
  const { t, language } = useWords(myKeysWords);
  const now = useNow();
  const { expiresAt, refusedSinceExpiry, lastRefusal } = value;
  const date = formatDateLong(expiresAt ?? '', language);
  if (refusedSinceExpiry === 0 || lastRefusal === null) return <>{t('expiredQuiet', { date })}</>;
  const n = formatNumber(refusedSinceExpiry, language);
  const ago = formatRelative(lastRefusal.at, now, language);
  return <>{t('expiredCalled', { date, n, ago, count: refusedSinceExpiry })}</>;
}

function ExpiringStory({ value }: { readonly value: Key }) {
  const { t, language } = useWords(myKeysWords);
  const now = useNow();
  const instant = formatInstant(value.expiresAt ?? '', language);
  if (value.lastUsedAt === null) return <>{t('expiringUnused', { instant })}</>;
  const ago = formatRelative(value.lastUsedAt, now, language);
  const agent = describeAgent(value.lastUsedAgent ?? '');
  if (agent === '') return <>{t('expiringUsed', { instant, ago })}</>;
  return <>{t('expiringUsedBy', { instant, ago, agent })}</>;
}
