import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useSession } from '../../api/session.ts';
import { formatBytes, formatNumber } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { Panel } from '../../ui/panel.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import classes from './gallery-usage.module.css';
import { galleryUsageWords } from './gallery-usage.words.ts';
import { galleryUsageQuery } from './packages-queries.ts';

/** From here on the rest is told in amber. */
const NEARLY_FULL = 0.9;

interface Used {
  readonly used: number;
  /** Null: no limit. */
  readonly limit: number | null;
}

function toneOf({ used, limit }: Used): 'amber' | 'red' | null {
  if (limit === null || used < limit * NEARLY_FULL) return null;
  return used < limit ? 'amber' : 'red';
}

function Rest(props: { readonly value: Used; readonly left: string }) {
  const { value, left } = props;
  const { t } = useWords(galleryUsageWords);
  const tone = toneOf(value);
  if (tone === null) return <div className="kr-dimmed kr-small">{t('left', { left })}</div>;
  const isOver = value.limit !== null && value.used > value.limit;
  const Icon = tone === 'red' ? IconCircleX : IconAlertTriangle;
  return (
    <div className={`${classes.left} ${tone === 'red' ? 'kr-red' : 'kr-amber'}`}>
      <Icon size={16} stroke={1.75} aria-hidden />
      {tone === 'red' ? t(isOver ? 'over' : 'full') : t('nearly', { left })}
    </div>
  );
}

/** How much of a limit is used up: in words and as a bar, and what is left. */
export function UsedOf(props: {
  readonly label: string;
  readonly value: Used;
  readonly format: (value: number) => string;
}) {
  const { label, value, format } = props;
  const { t } = useWords(galleryUsageWords);
  const { used, limit } = value;
  if (limit === null)
    return (
      <div>
        <dt className={classes.label}>{label}</dt>
        <dd className={classes.value}>{t('usedNoLimit', { used: format(used) })}</dd>
      </div>
    );
  const share = limit === 0 ? 1 : Math.min(1, used / limit);
  return (
    <div>
      <dt className={classes.label}>{label}</dt>
      <dd>
        <div className={classes.value}>{t('used', { used: format(used), limit: format(limit) })}</div>
        <div className={classes.bar} aria-hidden>
          <span
            className={classes.filled}
            data-tone={toneOf(value) ?? undefined}
            style={{ width: `${share * 100}%` }}
          />
        </div>
        <Rest value={value} left={format(Math.max(0, limit - used))} />
      </dd>
    </div>
  );
}

/** What an account holds in the gallery, with the limits and what is left of them. */
export function GalleryUsagePanel(props: { readonly accountId: string }) {
  const { t, language } = useWords(galleryUsageWords);
  const { account } = useSession();
  const { data, error, refetch } = useQuery(galleryUsageQuery(props.accountId));
  const number = (value: number) => formatNumber(value, language);
  const bytes = (value: number) => formatBytes(value, language);
  return (
    <Panel title={t('title')} description={t(props.accountId === account.id ? 'textOwn' : 'text')}>
      {data === undefined && error === null && <SkeletonRows rows={2} />}
      {data === undefined && error !== null && <LoadFailed error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <>
          <dl className={classes.rows}>
            <UsedOf label={t('packages')} value={data.packages} format={number} />
            <UsedOf label={t('bytes')} value={data.bytes} format={bytes} />
          </dl>
          <p className={classes.limits}>
            {data.versionsPerPackage.limit !== null &&
              t('versions', {
                count: data.versionsPerPackage.limit,
                number: number(data.versionsPerPackage.limit),
              })}{' '}
            {t('file', { size: bytes(data.packageFile.limitBytes) })}{' '}
            {account.role === 'admin' && (
              <Rich
                words={galleryUsageWords}
                k="limits"
                parts={{ a: <Link to="/settings" className={classes.link ?? ''} /> }}
              />
            )}
          </p>
        </>
      )}
    </Panel>
  );
}
