import { prepareTowns } from './site.ts';

/** Seeds the town once; every server of the run starts on a copy. */
export default function globalSetup(): () => void {
  return prepareTowns();
}
