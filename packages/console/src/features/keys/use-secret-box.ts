import { useRouter } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { SecretBox } from './secret-box.ts';

const SECOND_MS = 1_000;

/** True once the secret is gone. While it is there, going to another page wipes it. */
export function useIsSecretGone(box: SecretBox): boolean {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onBeforeNavigate', ({ pathChanged }) => {
        if (pathChanged) box.wipe();
      }),
    [router, box],
  );
  return useSyncExternalStore(box.subscribe, box.isGone);
}

/** Whole seconds until the box wipes itself. */
export function useSecondsLeft(box: SecretBox): number {
  const [secondsLeft, setSecondsLeft] = useState(() => secondsUntil(box.idleEndsAt()));
  useEffect(() => {
    const timer = setInterval(() => setSecondsLeft(secondsUntil(box.idleEndsAt())), SECOND_MS);
    return () => clearInterval(timer);
  }, [box]);
  return secondsLeft;
}

function secondsUntil(instantMs: number): number {
  return Math.max(0, Math.ceil((instantMs - Date.now()) / SECOND_MS));
}
