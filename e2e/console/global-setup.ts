import { prepareTowns } from './site.ts';

/** Seeds the town once; every server of the run starts on a copy. */
export default async function globalSetup(): Promise<() => void> {
  return await prepareTowns();
}
