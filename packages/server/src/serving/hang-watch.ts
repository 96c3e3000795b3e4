import { setTimeout as delay } from 'node:timers/promises';

export interface HangWatchOptions<Member> {
  /** Asks all members, and tells which of them have not answered in this time. */
  readonly ask: (timeoutMs: number) => Promise<readonly Member[]>;
  readonly onHang: (member: Member, silentMs: number) => void;
  readonly everyMs?: number | undefined;
}

const EVERY_MS = 5_000;
/**
 * A member hangs when it has missed so many questions in a row. Many short ones instead of a long one: after a pause of
 * the whole machine or container the time of a question is over before anybody could answer it.
 */
export const MISSED_MAX = 6;

/** Asks for as long as the process runs, without keeping it from its end. */
export function watchForHangs<Member>({ ask, onHang, everyMs = EVERY_MS }: HangWatchOptions<Member>): void {
  let missed: ReadonlyMap<Member, number> = new Map();
  const watch = async (): Promise<void> => {
    for (;;) {
      const [silent] = await Promise.all([ask(everyMs), delay(everyMs, undefined, { ref: false })]);
      missed = new Map(silent.map((member) => [member, (missed.get(member) ?? 0) + 1]));
      for (const [member, times] of missed) if (times === MISSED_MAX) onHang(member, times * everyMs);
    }
  };
  void watch();
}
