import { defineConfig } from '@playwright/test';
import whole from './playwright.config.ts';

/**
 * What `npm test` runs of the console: a way through every page, what becomes of secrets, and hostile text. The
 * second language, the other ways, the faults that people rarely meet and what is asked of the test bench itself are in
 * `npm run test:full` and `npm run test:console`. A pattern is matched with file, titles and tags.
 */
const SHORT = [
  /@short/,
  /\b(?:secrets|budget|xss)\.spec\.ts/,
  /\baccount-list\.spec\.ts .*as CSV/,
  /\baccounts\.spec\.ts .*, en .*(?:starts a key for him|has been typed)/,
  /\baudit\.spec\.ts .*, en .*(?:in words|turned away)/,
  /\bcreate-key-input\.spec\.ts .*match now/,
  /\bcreate-key\.spec\.ts .*(?:making a key, en (?!.*(?:without address|by keyboard alone|for a user))|making a key, ja .*for a user)/,
  /\bfirst-run\.spec\.ts .*(?:once|nowhere else)/,
  /\bgallery\.spec\.ts .*(?:, en .*without an account|never run)/,
  /\binvitation\.spec\.ts .*into the console/,
  /\bkey-dialogs\.spec\.ts .*keys, en (?!.*(?:outlives|given up|in the middle))/,
  /\blook-up\.spec\.ts .*on the spot/,
  /\bmails\.spec\.ts .*says is text/,
  /\bmy-keys\.spec\.ts .*(?:and mends it|what its pattern|can be undone)/,
  /\boverview\.spec\.ts .*(?:has counted|alone$)/,
  /\bpackages\.spec\.ts .*(?:opened|last one|a stranger)/,
  /\bprofile\.spec\.ts .*other sessions/,
  /\bpush-check\.spec\.ts .*that are his/,
  /\bsession-end\.spec\.ts .*gets nothing of what/,
  /\bsettings\.spec\.ts .*the changes alone/,
  /\bshell\.spec\.ts .*(?:asked for$|address$|goes back|no doors)/,
  /\bsigning-keys\.spec\.ts .*, en /,
  /\bwebhooks\.spec\.ts .*by keyboard/,
];

/** Once in the second language, and the states of a secret of which another stands for all. */
const FULL_ONLY = [
  /, ja (?!.*for a user)/,
  /secrets\.spec\.ts .*after create .*(?:untouched|revealed|copied) is in no memory/,
  /secrets\.spec\.ts .*after regenerate .*(?:is in no memory|back bring nothing)/,
];

/** Not by options of the command: those leave out nothing that another file depends on. */
export default defineConfig(whole, { grep: SHORT, grepInvert: FULL_ONLY, metadata: { isShort: true } });
