import { useBlocker } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';

/** Set when the person has said so: then the browser need not ask a second time. */
let isLeaving = false;
const guards = new Set<() => Promise<boolean>>();

/** Asks what the page would lose, as a link would; false as soon as the person wants to stay. */
export async function askToLeave(): Promise<boolean> {
  for (const ask of guards) if (!(await ask())) return false;
  return true;
}

/** Loads another page in the place of this one, with nothing left of it in memory. */
export function leaveFor(address: string): void {
  isLeaving = true;
  globalThis.location.replace(address);
}

/** The person is on the way out, and is asked. */
export interface Leaving {
  readonly stay: () => void;
  readonly leave: () => void;
}

/**
 * Stops a guarded page from being left without a question, by a link, the browser's Back or `askToLeave`; null as
 * long as nobody leaves. A reload and a closed tab are asked about by the browser, in its own words.
 */
export function useLeaveBlocker(isGuarded: boolean): Leaving | null {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isGuarded && current.pathname !== next.pathname,
    enableBeforeUnload: () => isGuarded && !isLeaving,
    withResolver: true,
  });
  const [asked, setAsked] = useState<PromiseWithResolvers<boolean> | null>(null);
  const latest = useRef(isGuarded);
  latest.current = isGuarded;
  useEffect(() => {
    const ask = async (): Promise<boolean> => {
      if (!latest.current) return true;
      const answer = Promise.withResolvers<boolean>();
      setAsked(answer);
      return await answer.promise;
    };
    guards.add(ask);
    return () => {
      guards.delete(ask);
    };
  }, []);
  if (asked !== null) {
    const answer = (isLeft: boolean) => () => {
      setAsked(null);
      asked.resolve(isLeft);
    };
    return { stay: answer(false), leave: answer(true) };
  }
  return blocker.status === 'blocked' ? { stay: blocker.reset, leave: blocker.proceed } : null;
}
