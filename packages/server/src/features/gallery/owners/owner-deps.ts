import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import type { Storage } from '../../../storage/index.ts';
import type { AccountNotices, AccountsService } from '../../accounts/index.ts';
import type { AuditService } from '../../audit/index.ts';
import type { Quotas } from '../quotas/quotas.ts';

/** What changes of owners stand on. */
export interface OwnerDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly accounts: AccountsService;
  readonly accountNotices: AccountNotices;
  readonly quotas: Quotas;
}
