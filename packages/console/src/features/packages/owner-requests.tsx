import type { OwnerRequest } from '@keyreeve/sdk';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../../api/client.ts';
import { queryClient } from '../../api/query-client.ts';
import { formatDate } from '../../format/dates.ts';
import { Rich, useWords } from '../../i18n/words.tsx';
import { AccountMark } from '../../ui/account-mark.tsx';
import { ActionButton } from '../../ui/action-button.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Truncate } from '../../ui/truncate.tsx';
import classes from './packages.module.css';
import { packagesWords } from './packages.words.ts';
import { incomingRequestsQuery, requestsOfPackageQuery } from './packages-queries.ts';

type Answer = 'accept' | 'decline' | 'withdraw';

const DONE_WORDS = { accept: 'accepted', decline: 'declined', withdraw: 'withdrawn' } as const;

async function send(requestId: string, answer: Answer): Promise<void> {
  const params = { path: { requestId } };
  if (answer === 'accept') await api.POST('/v1/owner-requests/{requestId}/accept', { params });
  else if (answer === 'decline') await api.POST('/v1/owner-requests/{requestId}/decline', { params });
  else await api.DELETE('/v1/owner-requests/{requestId}', { params });
}

function useAnswer() {
  const { t } = useWords(packagesWords);
  return useMutation({
    mutationFn: ({ request, answer }: { request: OwnerRequest; answer: Answer }) => send(request.id, answer),
    onSuccess: (_data, { request, answer }) =>
      notifyDone(
        t(DONE_WORDS[answer], { name: request.account.displayName, package: request.package.displayId }),
      ),
    onError: notifyFailure,
    // After a refusal too: the request may have run out or been answered by somebody else.
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['packages'] }),
  });
}

function AnswerButtons(props: { readonly request: OwnerRequest; readonly mayWithdraw: boolean }) {
  const { request, mayWithdraw } = props;
  const { t } = useWords(packagesWords);
  const answer = useAnswer();
  const values = { name: request.account.displayName, package: request.package.displayId };
  return (
    <div className={classes.answers}>
      {request.isForYou && (
        <>
          <ActionButton
            size="xs"
            aria-label={t('acceptOf', values)}
            loading={answer.isPending && answer.variables.answer === 'accept'}
            onClick={() => answer.mutate({ request, answer: 'accept' })}
          >
            {t('accept')}
          </ActionButton>
          <ActionButton
            size="xs"
            variant="default"
            aria-label={t('declineOf', values)}
            onClick={() => answer.mutate({ request, answer: 'decline' })}
          >
            {t('decline')}
          </ActionButton>
        </>
      )}
      {mayWithdraw && (
        <ActionButton
          size="xs"
          variant="default"
          aria-label={t('withdrawOf', values)}
          onClick={() => answer.mutate({ request, answer: 'withdraw' })}
        >
          {t('withdraw')}
        </ActionButton>
      )}
    </div>
  );
}

/** Requests of a package that wait for an answer, for those who manage it. */
export function OpenRequests(props: { readonly packageId: string }) {
  const { t, language } = useWords(packagesWords);
  const { data } = useQuery(requestsOfPackageQuery(props.packageId));
  if (data === undefined || data.items.length === 0) return null;
  return (
    <>
      <h3 className={classes.subtitle}>{t('openRequests')}</h3>
      <ul className={classes.list} aria-label={t('openRequests')}>
        {data.items.map((request) => (
          <li key={request.id} className={classes.item}>
            <AccountMark name={request.account.displayName} kind={request.account.kind} />
            <div className={classes.itemText}>
              <Truncate text={request.account.displayName} />
              <div className="kr-small kr-dimmed">
                {request.from === null
                  ? t('asked', { date: formatDate(request.expiresAt, language) })
                  : t('askedInPlace', {
                      name: request.from.displayName,
                      date: formatDate(request.expiresAt, language),
                    })}
              </div>
              <AnswerButtons request={request} mayWithdraw />
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What the person, or a service account that he manages, is asked: of one package or of all. */
export function IncomingRequests(props: { readonly packageId?: string }) {
  const { t, language } = useWords(packagesWords);
  const { data } = useQuery(incomingRequestsQuery);
  const requests = (data?.items ?? []).filter(
    (request) => props.packageId === undefined || request.package.id === props.packageId,
  );
  if (requests.length === 0) return null;
  return (
    <div className={classes.incoming}>
      <Panel title={t('incoming')} description={t('incomingText')}>
        <ul className={classes.list}>
          {requests.map((request) => (
            <li key={request.id} className={classes.item}>
              <AccountMark name={request.account.displayName} kind={request.account.kind} />
              <div className={classes.itemText}>
                <div className={classes.lines}>
                  <Rich
                    words={packagesWords}
                    k={request.from === null ? 'askedToOwn' : 'askedToOwnInPlace'}
                    values={{
                      by: request.requestedBy?.displayName ?? '–',
                      name: request.account.displayName,
                      from: request.from?.displayName ?? '',
                      package: request.package.displayId,
                    }}
                    parts={{
                      b: <bdi />,
                      a: (
                        <Link
                          to="/packages/$id"
                          params={{ id: request.package.id }}
                          className={classes.inlineLink ?? ''}
                        />
                      ),
                    }}
                  />
                </div>
                <div className="kr-small kr-dimmed">
                  {t('expires', { date: formatDate(request.expiresAt, language) })}
                </div>
                <AnswerButtons request={request} mayWithdraw={false} />
              </div>
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
