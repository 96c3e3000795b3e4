import { plainApi } from '../../api/client.ts';

/** Leaves by loading the sign-in page anew: nothing of the person's data stays in the memory of the page. */
function leave(): void {
  globalThis.location.replace('/sign-in');
}

export async function signOut(): Promise<void> {
  await plainApi.DELETE('/v1/session');
  leave();
}

/** Ends every session of the person, this one last. */
export async function signOutEverywhere(): Promise<void> {
  await plainApi.POST('/v1/sessions/end-others');
  await signOut();
}
