import { api, isSessionLost, plainApi } from '../../api/client.ts';
import { askToLeave, leaveFor } from '../../ui/use-leave-blocker.ts';

async function endSession(): Promise<void> {
  try {
    await plainApi.DELETE('/v1/session');
  } catch (error) {
    if (!isSessionLost(error)) throw error; // Ended already is what was wanted.
  }
}

/**
 * Leaves by loading the sign-in page anew: nothing of the person's data stays in the memory of the page. False when
 * the person would rather stay, because something is not saved or not copied.
 */
export async function signOut(): Promise<boolean> {
  if (!(await askToLeave())) return false;
  await endSession();
  leaveFor('/sign-in');
  return true;
}

/** Ends every session of the person, this one last. With none left here, the others are ended after a sign-in. */
export async function signOutEverywhere(): Promise<boolean> {
  if (!(await askToLeave())) return false;
  await api.POST('/v1/sessions/end-others');
  await endSession();
  leaveFor('/sign-in');
  return true;
}
