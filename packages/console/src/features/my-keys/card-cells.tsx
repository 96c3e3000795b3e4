import type { Key } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import { describeAgent } from '../../format/agent.ts';
import { formatNumber } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Day, Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { useNow } from '../../ui/use-now.ts';
import { PatternPills, resourcesOf } from '../keys/key-access.tsx';
import { keyAccessWords } from '../keys/key-access.words.ts';
import { coveredCountQuery } from './covered-count.ts';
import { lifeElapsed, wasUsedWithOldSecret } from './key-order.ts';
import classes from './my-keys.module.css';
import { myKeysWords } from './my-keys.words.ts';

/** Patterns and single packages, and how many packages that is today. */
export function PackagesCell({ value }: { readonly value: Key }) {
  const { t } = useWords(keyAccessWords);
  const resources = resourcesOf(value.scopes);
  const patterns = value.access === 'scoped' ? resources : ['*'];
  const { data } = useQuery({
    ...coveredCountQuery(value.ownerId, patterns),
    // Without a pattern there is nothing to count, and what an account owns is told where it stands alone.
    enabled: value.access === 'full' || resources.some((resource) => resource.includes('*')),
  });
  const owner =
    value.ownerId === value.accountId ? null : (
      <Truncate text={t('forOwner', { name: value.owner.displayName })} className={classes.second ?? ''} />
    );
  if (value.access !== 'scoped')
    return (
      <>
        <div>{t('ownAll')}</div>
        {data !== undefined && <div className={classes.second}>{t('owned', { count: data })}</div>}
        {owner}
      </>
    );
  return (
    <>
      <PatternPills resources={resources} />
      {data !== undefined && <div className={classes.second}>{t('matchNow', { count: data })}</div>}
      {owner}
    </>
  );
}

/** The day on which it stops, and how much of its life has passed. */
export function ExpiresCell({ value }: { readonly value: Key }) {
  const { t } = useWords(myKeysWords);
  const now = useNow();
  const elapsed = lifeElapsed(value, now);
  if (value.expiresAt === null || elapsed === null)
    return (
      <>
        <div>{t('never')}</div>
        {value.access === 'full' && <div className={classes.second}>{t('notRecreated')}</div>}
      </>
    );
  const tone = { expired: 'kr-red', expiring: 'kr-amber', active: 'kr-dimmed', disabled: 'kr-dimmed' }[
    value.status
  ];
  const percent = Math.round(elapsed * 100);
  return (
    <>
      <Day at={value.expiresAt} className={tone === 'kr-dimmed' ? '' : tone} />
      <progress
        className={`${classes.life} ${tone}`}
        max={100}
        value={percent}
        aria-label={t('lifeElapsed', { percent })}
      />
    </>
  );
}

/** When it was used last and by what, or that it is called although it has stopped. */
export function LastUsedCell({ value }: { readonly value: Key }) {
  const { t, language } = useWords(myKeysWords);
  const ui = useWords(uiWords);
  const { lastUsedAt, lastUsedAgent, refusedSinceExpiry } = value;
  const agent = describeAgent(lastUsedAgent ?? '');
  return (
    <>
      {lastUsedAt === null ? <div className="kr-dimmed">{ui.t('never')}</div> : <Recent at={lastUsedAt} />}
      {refusedSinceExpiry > 0 ? (
        <div className="kr-small kr-red">
          {t('refusedSince', { n: formatNumber(refusedSinceExpiry, language) })}
        </div>
      ) : wasUsedWithOldSecret(value) ? (
        <div className={classes.second}>{t('withOldSecret')}</div>
      ) : (
        lastUsedAt !== null && agent !== '' && <Truncate text={agent} className={classes.second ?? ''} />
      )}
    </>
  );
}
