import { AppError } from '../../errors/index.ts';
import type { Caller } from '../../http/index.ts';
import type { AuditService } from '../audit/index.ts';

/**
 * Runs what an unknown caller asks for and counts its refusal. The auth hook counts refused credentials; here the
 * credential is in the body.
 */
export async function countingRefusals<Result>(
  audit: AuditService,
  caller: Caller,
  route: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) audit.countRefusal(caller, error, route);
    throw error;
  }
}
