import { KeyreeveError } from '@keyreeve/sdk';

/** True when somebody else was faster: what was to be changed is no longer in the version that this page has shown. */
export function isStale(error: unknown): boolean {
  return error instanceof KeyreeveError && error.code === 'request.precondition_failed';
}
