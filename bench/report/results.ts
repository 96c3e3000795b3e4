import type { Outcome, Pace } from '../harness/contest.ts';
import type { Machine } from '../harness/machine.ts';
import type { ConsolePage } from '../sections/console.ts';
import type { ContestName } from '../sections/contests.ts';
import type { ScaleAt } from '../sections/scale.ts';

/** All that one run measured, as it is stored; the pages are written from it and nothing else. */
export interface Results {
  readonly commit: string;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly minutes: number;
  /** A shortened run shows that the bench works, and no more. */
  readonly isQuick: boolean;
  readonly machine: Machine;
  /** Over the minute before and after. */
  readonly load: { readonly before: number; readonly after: number };
  readonly pace: Pace;
  readonly contests: Readonly<Partial<Record<ContestName, readonly Outcome[]>>>;
  readonly scale: readonly ScaleAt[] | null;
  readonly console: readonly ConsolePage[] | null;
}
