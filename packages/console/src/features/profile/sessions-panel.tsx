import { Badge, Group } from '@mantine/core';
import { IconLogout } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { describeAgent } from '../../format/agent.ts';
import { say, useWords } from '../../i18n/words.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { LoadFailed, SkeletonRows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Ago, Day } from '../../ui/time.tsx';
import { signOut, signOutEverywhere } from '../session/sign-out.ts';
import classes from './profile.module.css';
import { profileWords } from './profile.words.ts';
import { type Session, sessionsQuery } from './sessions-query.ts';

function useDevice(): (session: Session) => string {
  const { t } = useWords(profileWords);
  return ({ userAgent }) => {
    const words = describeAgent(userAgent ?? '');
    return words === '' ? t('unknownDevice') : words;
  };
}

function useColumns(): readonly Column<Session>[] {
  const { t } = useWords(profileWords);
  const deviceOf = useDevice();
  return [
    {
      id: 'device',
      header: t('device'),
      narrow: 'title',
      cell: (session) => (
        <span className={classes.device}>
          <bdi>{deviceOf(session)}</bdi>
          {session.isCurrent && (
            <Badge color="reeve" size="sm">
              {t('thisDevice')}
            </Badge>
          )}
        </span>
      ),
    },
    {
      id: 'address',
      header: t('address'),
      width: '136px',
      cell: ({ ip }) => <span className={`kr-mono ${classes.address}`}>{ip}</span>,
    },
    { id: 'since', header: t('since'), width: '126px', cell: ({ createdAt }) => <Day at={createdAt} /> },
    {
      id: 'lastSeen',
      header: t('lastSeen'),
      width: '106px',
      cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} />,
    },
  ];
}

/** Ends one session; one's own is left by the sign-in page. */
function EndButton({ session }: { readonly session: Session }) {
  const { t } = useWords(profileWords);
  const client = useQueryClient();
  const deviceOf = useDevice();
  const end = useMutation({
    mutationFn: async () => {
      if (session.isCurrent) await signOut();
      else await api.DELETE('/v1/sessions/{id}', { params: { path: { id: session.id } } });
    },
    onSuccess: () => {
      if (!session.isCurrent) notifyDone(say(profileWords, 'ended'));
    },
    onError: notifyFailure,
    // Gone already is gone too: the list tells.
    onSettled: async () => {
      if (!session.isCurrent) await client.invalidateQueries(sessionsQuery);
    },
  });
  return (
    <ActionButton
      size="xs"
      variant="default"
      aria-label={t('endOf', { device: deviceOf(session) })}
      loading={end.isPending}
      onClick={() => end.mutate()}
    >
      {t('end')}
    </ActionButton>
  );
}

function EndMany(props: { readonly otherCount: number }) {
  const { t } = useWords(profileWords);
  const client = useQueryClient();
  const endOthers = useMutation({
    mutationFn: async () => (await api.POST('/v1/sessions/end-others')).data.ended,
    onSuccess: async (count) => {
      notifyDone(say(profileWords, 'endedOthers', { count }));
      await client.invalidateQueries(sessionsQuery);
    },
    onError: notifyFailure,
  });
  const endAll = useMutation({ mutationFn: signOutEverywhere, onError: notifyFailure });
  return (
    <Group gap="xs">
      <ActionButton
        variant="default"
        disabled={props.otherCount === 0}
        loading={endOthers.isPending}
        onClick={() => endOthers.mutate()}
      >
        {t('endOthers')}
      </ActionButton>
      <ActionButton
        variant="default"
        leftSection={<IconLogout size={16} stroke={1.75} aria-hidden />}
        loading={endAll.isPending || endAll.data === true}
        onClick={() => endAll.mutate()}
      >
        {t('endAll')}
      </ActionButton>
    </Group>
  );
}

/** Where one is signed in, and the way to end it there. */
export function SessionsPanel() {
  const { t } = useWords(profileWords);
  const { data, error, refetch } = useQuery(sessionsQuery);
  const columns = useColumns();
  return (
    <Panel
      title={t('sessions')}
      description={t('sessionsText')}
      isFlush
      {...(data === undefined
        ? {}
        : { actions: <EndMany otherCount={data.filter(({ isCurrent }) => !isCurrent).length} /> })}
    >
      {data === undefined && error === null && <SkeletonRows rows={2} />}
      {data === undefined && error !== null && <LoadFailed error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <Table
          label={t('sessions')}
          columns={columns}
          rows={data}
          keyOf={(session) => session.id}
          actionsHeader={t('actions')}
          actions={(session) => <EndButton session={session} />}
        />
      )}
    </Panel>
  );
}
