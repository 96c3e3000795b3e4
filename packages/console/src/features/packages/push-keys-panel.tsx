import { KeyreeveError } from '@keyreeve/sdk';
import { useQuery } from '@tanstack/react-query';
import { formatDate } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { Panel } from '../../ui/panel.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';
import { pushKeysQuery } from './packages-queries.ts';

/** Which keys can push here now: for owners and administrators; others do not see the panel. */
export function PushKeysPanel(props: { readonly id: string }) {
  const { t, language } = useWords(packagesWords);
  const query = useQuery(pushKeysQuery(props.id));
  if (query.error instanceof KeyreeveError && query.error.status < 500) return null;
  return (
    <Panel title={t('keysThatPush')} actions={<span className="kr-dimmed">{query.data?.items.length}</span>}>
      {query.isError && <LoadFailed error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <SkeletonRows rows={2} />}
      {query.data?.items.length === 0 && <p className="kr-secondary">{t('noKeys')}</p>}
      <ul className={classes.list}>
        {query.data?.items.map((key) => (
          <li key={key.id} className={classes.item}>
            <AccountMark name={key.account.displayName} kind={key.account.kind} />
            <div className={classes.itemText}>
              <Truncate text={key.comment} />
              <div className="kr-mono kr-dimmed kr-small">{key.id}</div>
              <code className={`${classes.pattern} kr-mono`}>{key.pattern}</code>
              <div className="kr-small kr-dimmed">
                {key.expiresAt === null
                  ? t('neverExpires')
                  : t('expires', { date: formatDate(key.expiresAt, language) })}
              </div>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
