import { useQuery } from '@tanstack/react-query';
import { accountKeysQuery } from '../../api/account-keys-query.ts';
import { useSession } from '../../api/session.ts';

/** How many of one's own keys are expired or about to be. */
export function useKeysInTrouble(): number {
  const { account } = useSession();
  const { data } = useQuery(accountKeysQuery(account.id));
  return data?.filter((key) => key.status === 'expired' || key.status === 'expiring').length ?? 0;
}
