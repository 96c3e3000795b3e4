import type { Overview } from '@keyreeve/sdk';
import { SegmentedControl } from '@mantine/core';
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.ts';
import { useWords } from '../../i18n/words.tsx';
import { Page } from '../../ui/page.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { ExpiryPanel } from './expiry-panel.tsx';
import { Figures } from './figures.tsx';
import { NextPanel } from './next-panel.tsx';
import classes from './overview.module.css';
import { overviewWords } from './overview.words.ts';
import { RefusalsPanel } from './refusals-panel.tsx';
import { VerificationsPanel } from './verifications-panel.tsx';

const PERIODS = [24, 168, 720] as const;
export type PeriodHours = (typeof PERIODS)[number];
const REFRESH_MS = 60_000;

function overviewQuery(hours: PeriodHours) {
  return queryOptions({
    queryKey: ['keys', 'overview', hours],
    queryFn: async ({ signal }): Promise<Overview> =>
      (await api.GET('/v1/overview', { params: { query: { hours } }, signal })).data,
    refetchInterval: REFRESH_MS,
  });
}

/** The health of all keys that the person may see: what fails now, what stops next, what is called. */
export function OverviewPage() {
  const { t } = useWords(overviewWords);
  const [hours, setHours] = useState<PeriodHours>(168);
  const query = useQuery({ ...overviewQuery(hours), placeholderData: keepPreviousData });
  return (
    <Page
      title={t('title')}
      actions={
        <SegmentedControl
          aria-label={t('period')}
          value={String(hours)}
          onChange={(value) => setHours(PERIODS.find((period) => String(period) === value) ?? 168)}
          data={PERIODS.map((period) => ({ value: String(period), label: t(`hours${period}`) }))}
        />
      }
    >
      {query.isError && query.data === undefined && (
        <LoadFailed error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.isPending && <SkeletonRows rows={8} />}
      {query.data !== undefined && (
        <div className={classes.grid}>
          <Figures value={query.data} />
          <div className={classes.columns}>
            <ExpiryPanel value={query.data} />
            <NextPanel value={query.data} />
            <VerificationsPanel value={query.data} period={t(`hours${hours}`)} />
            <RefusalsPanel value={query.data} period={t(`hours${hours}`)} />
          </div>
        </div>
      )}
    </Page>
  );
}
