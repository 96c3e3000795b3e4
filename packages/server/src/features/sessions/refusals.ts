import { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import { type Account, toIdentity } from '../accounts/index.ts';
import type { AuditService } from '../audit/index.ts';

/** Called as soon as it is known whom the unknown caller claims to be. */
export type NameAccount = (account: Account | null) => void;

/**
 * Runs what an unknown caller asks for and counts its refusal. The auth hook counts refused credentials; here the
 * credential is in the body.
 */
export async function countingRefusals<Result>(
  audit: AuditService,
  caller: Caller,
  route: string,
  work: (nameAccount: NameAccount) => Promise<Result>,
): Promise<Result> {
  let claimed: Account | null = null;
  try {
    return await work((account) => {
      claimed = account;
    });
  } catch (error) {
    if (error instanceof AppError)
      audit.countRefusal(caller, error, route, claimed === null ? null : toIdentity(claimed));
    throw error;
  }
}
