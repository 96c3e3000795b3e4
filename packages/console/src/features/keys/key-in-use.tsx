import type { Key } from '@keyreeve/sdk';
import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { DAY_MS, formatNumber, formatRelative } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { useNow } from '../../ui/use-now.ts';
import { callsTodayQuery } from './key-calls.ts';
import { keyDialogsWords } from './key-dialogs.words.ts';
import { isWorking } from './key-facts.ts';

const IN_USE_MS = DAY_MS;

/** Warns when somebody would notice that the key stops: the last call, where from, and how many today. */
export function KeyInUse(props: { readonly value: Key; readonly icon: ReactNode }) {
  const { value, icon } = props;
  const { language } = useWords(keyDialogsWords);
  const now = useNow();
  const { lastUsedAt, lastUsedIp, lastRefusal, refusedSinceExpiry } = value;
  const isUsed = isWorking(value) && lastUsedAt !== null && now - Date.parse(lastUsedAt) < IN_USE_MS;
  const { data: today } = useQuery({ ...callsTodayQuery(value.id), enabled: isUsed });
  const parts = { b: <b /> };
  if (isUsed) {
    const count = today === undefined ? '…' : formatNumber(today, language);
    const ago = formatRelative(lastUsedAt, now, language);
    return (
      <Alert color="red" mb="sm" icon={icon}>
        {lastUsedIp === null ? (
          <Rich words={keyDialogsWords} k="inUseNowhere" values={{ ago, count }} parts={parts} />
        ) : (
          <Rich
            words={keyDialogsWords}
            k="inUse"
            values={{ ago, address: lastUsedIp, count }}
            parts={parts}
          />
        )}
      </Alert>
    );
  }
  if (refusedSinceExpiry === 0 || lastRefusal === null) return null;
  const values = {
    count: formatNumber(refusedSinceExpiry, language),
    ago: formatRelative(lastRefusal.at, now, language),
  };
  return (
    <Alert color="amber" mb="sm" icon={icon}>
      <Rich words={keyDialogsWords} k="stillCalled" values={values} parts={parts} />
    </Alert>
  );
}
