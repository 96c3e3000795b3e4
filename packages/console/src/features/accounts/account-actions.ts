import { say } from '../../i18n/words.tsx';
import { notifyDone, notifyFailure } from '../../ui/notify.tsx';
import { accountsWords } from './accounts.words.ts';
import {
  type Account,
  type AccountKind,
  isUser,
  updateServiceAccount,
  updateUser,
} from './accounts-queries.ts';

export function kindOf(account: Account): AccountKind {
  return isUser(account) ? 'user' : 'service';
}

/**
 * Disables or enables an account and says so, with a way back. Any later change of the account makes the way back
 * a refusal, so that it takes back nothing but this.
 */
export async function setAccountState(
  account: Account,
  state: 'active' | 'disabled',
  reason: string | null,
): Promise<Account> {
  const kind = kindOf(account);
  const patch = state === 'active' ? { state } : { state, disabledReason: reason };
  const saved = await (kind === 'user' ? updateUser : updateServiceAccount)(account, patch);
  const word = `${kind}${state === 'active' ? 'Enabled' : 'Disabled'}` as const;
  notifyDone(say(accountsWords, word), () => {
    const back = state === 'active' ? 'disabled' : 'active';
    setAccountState(saved, back, account.disabledReason).catch(notifyFailure);
  });
  return saved;
}
