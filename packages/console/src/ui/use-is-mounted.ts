import { type RefObject, useEffect, useRef } from 'react';

/** Whether the component is still there, for what comes back to it later. */
export function useIsMounted(): RefObject<boolean> {
  const isMounted = useRef(true);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
    };
  }, []);
  return isMounted;
}
