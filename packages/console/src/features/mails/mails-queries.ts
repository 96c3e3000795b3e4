import type { components } from '@keyreeve/sdk';
import { queryOptions } from '@tanstack/react-query';
import { api } from '../../api/client.ts';
import { boxSecret, type SecretBox } from '../keys/secret-box.ts';

export type Mail = components['schemas']['Mail'];
export type MailState = Mail['state'];
export const MAIL_STATES = ['failed', 'pending', 'mailbox', 'sent'] as const satisfies readonly MailState[];

/** While a mail is on its way, the list looks how it fares. */
const PENDING_REFETCH_MS = 5_000;

interface MailListQuery {
  readonly state: MailState | null;
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface MailPage {
  readonly items: readonly Mail[];
  readonly nextCursor: string | null;
  /** Which state was asked for: the page may be older than what is chosen by now. */
  readonly state: MailState | null;
}

async function readMails({ state, limit, cursor }: MailListQuery, signal: AbortSignal): Promise<MailPage> {
  const query = {
    limit,
    ...(state === null ? {} : { state }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  const { data } = await api.GET('/v1/mailbox', { params: { query }, signal });
  return { ...data, state };
}

export function mailsQuery(query: MailListQuery) {
  return queryOptions({
    queryKey: ['mails', 'list', query],
    queryFn: ({ signal }) => readMails(query, signal),
    refetchInterval: ({ state }) =>
      state.data?.items.some((mail) => mail.state === 'pending') === true ? PENDING_REFETCH_MS : false,
  });
}

/** A mail that was opened. Its text may hold a link that gives access, so it lies in a box like a fresh secret. */
export interface SealedMail {
  readonly isMasked: boolean;
  readonly box: SecretBox;
}

/** Opens a mail that is kept on the server; recorded in the audit log, so it is asked for on request only. */
export async function openMail(id: string): Promise<SealedMail> {
  const { data } = await api.GET('/v1/mailbox/{id}', { params: { path: { id } } });
  const box = boxSecret(id, data.text);
  data.text = '';
  data.html = '';
  return { isMasked: data.isMasked, box };
}
