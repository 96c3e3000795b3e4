import { setTimeout as delay } from 'node:timers/promises';

/** Questions to several members at once. A member that hangs makes nobody wait longer than the time that is given. */
export interface Rounds<Member> {
  /**
   * Asks each of the members, and resolves when all of them have answered or left, or the time is over.
   *
   * @returns those that have not answered
   */
  ask(
    members: readonly Member[],
    question: (member: Member, id: number) => void,
    timeoutMs: number,
  ): Promise<readonly Member[]>;
  answer(member: Member, id: number): void;
  /** Nothing is to be expected of this member any more. */
  leave(member: Member): void;
}

interface Round<Member> {
  readonly waiting: Set<Member>;
  readonly finish: () => void;
}

/** @see Rounds */
export function createRounds<Member>(): Rounds<Member> {
  const rounds = new Map<number, Round<Member>>();
  let lastId = 0;

  const strike = ({ waiting, finish }: Round<Member>, member: Member): void => {
    waiting.delete(member);
    if (waiting.size === 0) finish();
  };

  return {
    ask: async (members, question, timeoutMs) => {
      if (members.length === 0) return [];
      lastId += 1;
      const id = lastId;
      const waiting = new Set(members);
      const done = new AbortController();
      rounds.set(id, { waiting, finish: () => done.abort() });
      for (const member of members) question(member, id);
      await delay(timeoutMs, undefined, { signal: done.signal }).catch(() => {});
      rounds.delete(id);
      return [...waiting];
    },
    answer: (member, id) => {
      const round = rounds.get(id);
      if (round !== undefined) strike(round, member);
    },
    leave: (member) => {
      for (const round of rounds.values()) strike(round, member);
    },
  };
}
