import type { Key } from '@keyreeve/sdk';
import { IconAlertTriangle } from '@tabler/icons-react';
import { describeAgent } from '../../format/agent.ts';
import { formatNumber, formatRelative } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { CopyIcon } from '../../ui/copy-button.tsx';
import { Day, Recent } from '../../ui/time.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import { useNow } from '../../ui/use-now.ts';
import { apiAccessWords } from './api-access.words.ts';
import classes from './api-access-panel.module.css';
import { KeyAccess } from './key-access.tsx';
import { keyAccessWords } from './key-access.words.ts';

/** The public half, whole, with a way to the clipboard that shows when somebody comes near. */
export function IdCell(props: { readonly value: Key }) {
  const { t } = useWords(apiAccessWords);
  const { id } = props.value;
  return (
    <span className={classes.key}>
      <span className={`kr-mono ${classes.id}`}>{id}</span>
      <CopyIcon text={id} label={t('copyKey', { id })} className={classes.copy ?? ''} />
    </span>
  );
}

export function AccessCell(props: { readonly value: Key }) {
  const { t } = useWords(apiAccessWords);
  const { t: tAccess } = useWords(keyAccessWords);
  const { value } = props;
  if (value.access === 'account') return <KeyAccess value={value} />;
  return (
    <>
      {value.access === 'full' ? (
        <span className={`${classes.full} kr-amber`}>
          <IconAlertTriangle size={14} stroke={1.75} aria-hidden />
          {t('fullAccess')}
        </span>
      ) : (
        t('scoped')
      )}
      <div className="kr-dimmed kr-small">
        {value.access === 'full' ? <Truncate text={tAccess('full')} /> : <KeyAccess value={value} />}
      </div>
    </>
  );
}

export function ExpiresCell(props: { readonly value: Key }) {
  const { t, language } = useWords(apiAccessWords);
  const now = useNow();
  const { expiresAt, status } = props.value;
  if (expiresAt === null)
    return (
      <>
        {t('never')}
        <div className="kr-dimmed kr-small">{t('legacy')}</div>
      </>
    );
  const tone = status === 'expired' ? 'kr-red' : status === 'expiring' ? 'kr-amber' : 'kr-dimmed';
  return (
    <>
      <Day at={expiresAt} />
      <div className={`${tone} kr-small`}>{formatRelative(expiresAt, now, language)}</div>
    </>
  );
}

/** When it was used and by what; of an expired one, how often it was called all the same. */
export function LastUsedCell(props: { readonly value: Key }) {
  const { t, language } = useWords(apiAccessWords);
  const { lastUsedAt, lastUsedAgent, lastUsedIp, refusedSinceExpiry } = props.value;
  const agent = describeAgent(lastUsedAgent ?? '');
  const by = agent === '' ? (lastUsedIp ?? '') : agent;
  return (
    <>
      {lastUsedAt === null ? <span className="kr-dimmed">{t('unused')}</span> : <Recent at={lastUsedAt} />}
      {refusedSinceExpiry > 0 ? (
        <div className="kr-red kr-small">
          {t('refusedSince', { n: formatNumber(refusedSinceExpiry, language) })}
        </div>
      ) : (
        by !== '' && <Truncate text={by} className="kr-dimmed kr-small" />
      )}
    </>
  );
}
