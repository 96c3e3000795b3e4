import type { Key, KeyRefusal, KeyUsage } from '@keyreeve/sdk';
import { Button, SegmentedControl } from '@mantine/core';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.ts';
import { describeAgent } from '../../format/agent.ts';
import { DAY_MS, formatNumber, HOUR_MS } from '../../format/dates.ts';
import { useWords } from '../../i18n/words.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { Ago } from '../../ui/time.tsx';
import { uiWords } from '../../ui/ui.words.ts';
import { overviewWords } from '../overview/overview.words.ts';
import { REASONS } from '../overview/refusals-panel.tsx';
import { VerificationsChart } from '../overview/verifications-chart.tsx';
import { formatShare } from '../overview/verifications-layout.ts';
import { keyQuery } from './key-calls.ts';
import type { KeyDialogProps } from './key-request.ts';
import classes from './key-usage.module.css';
import { keyUsageWords } from './key-usage.words.ts';
import { AllowanceText } from './limits-text.tsx';

const PERIODS = [24, 168, 720, 8_760] as const;
type PeriodHours = (typeof PERIODS)[number];
/** Up to here the server keeps single hours. */
const HOURLY_MAX = 720;
const REFRESH_MS = 60_000;

function usageQuery(keyId: string, hours: PeriodHours) {
  return queryOptions({
    queryKey: ['keys', 'usage', keyId, hours],
    queryFn: async ({ signal }): Promise<KeyUsage> => {
      const by = hours > HOURLY_MAX ? 'day' : 'hour';
      const bucketMs = by === 'day' ? DAY_MS : HOUR_MS;
      // The bucket of this moment is the last one.
      const from = new Date(Date.now() - hours * HOUR_MS + bucketMs).toISOString();
      const params = { path: { keyId }, query: { by, from } as const };
      return (await api.GET('/v1/keys/{keyId}/usage', { params, signal })).data;
    },
    refetchInterval: REFRESH_MS,
  });
}

type Outcomes = KeyUsage['actions'][number]['outcomes'];

function sumOf(outcomes: Outcomes): { accepted: number; refused: number } {
  const total = outcomes.reduce((sum, { count }) => sum + count, 0);
  const accepted = outcomes.find(({ outcome }) => outcome === 'valid')?.count ?? 0;
  return { accepted, refused: total - accepted };
}

/** How often a key was used and for what, who used it last, when it was first refused, and what it has left. */
export function KeyUsageDialog({ value, isOpen, onClose }: KeyDialogProps) {
  const { t } = useWords(keyUsageWords);
  const overview = useWords(overviewWords);
  const ui = useWords(uiWords);
  const [hours, setHours] = useState<PeriodHours>(168);
  const { data, error, refetch } = useQuery({
    ...usageQuery(value.id, hours),
    placeholderData: keepPreviousData,
  });
  const { data: key = value } = useQuery(keyQuery(value.id));
  const periodOf = (period: PeriodHours) => (period === 8_760 ? t('days365') : overview.t(`hours${period}`));
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      size="large"
      title={t('title', { name: value.comment })}
      actions={
        <Button variant="default" onClick={onClose} data-autofocus>
          {ui.t('close')}
        </Button>
      }
    >
      <div className={classes.stack}>
        <SegmentedControl
          className={classes.period ?? ''}
          aria-label={t('period')}
          value={String(hours)}
          onChange={(chosen) => setHours(PERIODS.find((period) => String(period) === chosen) ?? 168)}
          data={PERIODS.map((period) => ({ value: String(period), label: periodOf(period) }))}
        />
        {data === undefined ? (
          error === null ? (
            <SkeletonRows rows={5} height={44} />
          ) : (
            <LoadFailed error={error} onRetry={() => void refetch()} />
          )
        ) : (
          <Chart usage={data} period={periodOf(hours)} />
        )}
        <Facts value={key} />
        {data !== undefined && data.actions.length > 0 && <Actions usage={data} />}
      </div>
    </Dialog>
  );
}

function Chart({ usage, period }: { readonly usage: KeyUsage; readonly period: string }) {
  const { t, language } = useWords(keyUsageWords);
  const isByDay = usage.by === 'day';
  const verifications = usage.buckets.map(({ start, outcomes }) => ({ hour: start, ...sumOf(outcomes) }));
  const accepted = verifications.reduce((sum, bucket) => sum + bucket.accepted, 0);
  const total = verifications.reduce((sum, bucket) => sum + bucket.refused, accepted);
  const value = {
    generatedAt: new Date(Date.parse(usage.to) - 1).toISOString(),
    hours: (Date.parse(usage.to) - Date.parse(usage.from)) / HOUR_MS,
    verifications,
    ...(isByDay ? ({ bucketHours: 24 } as const) : {}),
  };
  return (
    <section>
      <div className={classes.head}>
        <p>
          {total === 0
            ? t('noUses', { period })
            : t('uses', {
                count: total,
                total: formatNumber(total, language),
                period,
                share: formatShare(accepted, total),
              })}
        </p>
        {total > 0 && <span className="kr-dimmed kr-small">{isByDay ? t('perDay') : t('perHour')}</span>}
      </div>
      {total > 0 && <VerificationsChart value={value} label={t('chart')} />}
    </section>
  );
}

function Facts({ value }: { readonly value: Key }) {
  const { t } = useWords(keyUsageWords);
  const { lastUsedAt, lastUsedIp, lastUsedAgent, firstRefusal, lastRefusal } = value;
  return (
    <dl className={classes.facts}>
      <Fact label={t('lastUsed')}>
        {lastUsedAt === null ? (
          <Never />
        ) : (
          <Moment at={lastUsedAt} ip={lastUsedIp} userAgent={lastUsedAgent} />
        )}
      </Fact>
      <Fact label={t('limits')}>
        <AllowanceText value={value.allowance} />
      </Fact>
      <Fact label={t('firstRefusal')}>
        <Refusal value={firstRefusal} />
      </Fact>
      <Fact label={t('lastRefusal')}>
        <Refusal value={lastRefusal} />
      </Fact>
    </dl>
  );
}

function Fact(props: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Never() {
  const { t } = useWords(keyUsageWords);
  return <span className="kr-secondary">{t('never')}</span>;
}

function Moment(props: {
  readonly at: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}) {
  const { t } = useWords(keyUsageWords);
  const agent = describeAgent(props.userAgent ?? '');
  return (
    <>
      <Ago at={props.at} />
      {props.ip !== null && (
        <div className="kr-dimmed kr-small">
          {agent === '' ? t('from', { address: props.ip }) : t('fromBy', { address: props.ip, agent })}
        </div>
      )}
    </>
  );
}

function Refusal({ value }: { readonly value: KeyRefusal | null }) {
  const { t } = useWords(keyUsageWords);
  const reasonOf = useReasonWord();
  if (value === null) return <Never />;
  return (
    <>
      <Moment at={value.at} ip={value.ip} userAgent={value.userAgent} />
      <div className="kr-small">
        {reasonOf(value.reason)}
        {value.action !== null && (
          <span className="kr-dimmed"> · {t('asked', { action: value.action })}</span>
        )}
      </div>
    </>
  );
}

function useReasonWord(): (reason: string) => string {
  const { t } = useWords(overviewWords);
  return (reason) => t(REASONS.find((known) => known === reason) ?? 'other');
}

function Actions({ usage }: { readonly usage: KeyUsage }) {
  const { t, language } = useWords(keyUsageWords);
  const reasonOf = useReasonWord();
  const number = (value: number) => formatNumber(value, language);
  return (
    <section>
      <h3 className={classes.title}>{t('byAction')}</h3>
      <div className={classes.scroll} tabIndex={0} role="group" aria-label={t('byAction')}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">{t('action')}</th>
              <th scope="col" data-numeric>
                {t('accepted')}
              </th>
              <th scope="col" data-numeric>
                {t('refused')}
              </th>
              <th scope="col">{t('reasons')}</th>
            </tr>
          </thead>
          <tbody>
            {usage.actions.map(({ action, outcomes }) => {
              const { accepted, refused } = sumOf(outcomes);
              const reasons = outcomes
                .filter(({ outcome }) => outcome !== 'valid')
                .toSorted((a, b) => b.count - a.count);
              return (
                <tr key={action ?? ''}>
                  <td>
                    {action === null ? (
                      <span className="kr-secondary">{t('noAction')}</span>
                    ) : action === 'other' ? (
                      t('otherActions')
                    ) : (
                      <span className="kr-mono">{action}</span>
                    )}
                  </td>
                  <td data-numeric>{number(accepted)}</td>
                  <td data-numeric>{number(refused)}</td>
                  <td>
                    {reasons.map(({ outcome, count }) => `${reasonOf(outcome)} ${number(count)}`).join(' · ')}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
