import { defineConfig } from '@playwright/test';
import whole from './playwright.config.ts';

/**
 * What `npm test` runs of the console: a way through every page, what becomes of secrets, and hostile text. The
 * second language, the other ways and the faults that people rarely meet are in `npm run test:full` and `npm run
 * test:console`. A pattern is matched with file, titles and tags.
 */
const SHORT = [
  /@short/,
  /\b(?:secrets|budget|xss)\.spec\.ts/,
  /\baccount-list\.spec\.ts .*(?:as CSV|harm)/,
  /\baccounts\.spec\.ts .*(?:, en .*(?:starts a key for him|has been typed)|members .*for administrators)/,
  /\baudit\.spec\.ts .*(?:, en .*(?:in words|turned away)|hostile names)/,
  /\bbench\.spec\.ts .*(?:the guard|fails its test|both colours|wherever a page|still holds|sees what is cut)/,
  /\bcreate-key-input\.spec\.ts .*(?:match now|is text)/,
  /\bcreate-key\.spec\.ts .*(?:making a key, en (?!.*(?:without address|by keyboard alone))|making a key, ja .*for a user)/,
  /\bfirst-run\.spec\.ts .*(?:once|nowhere else)/,
  /\bgallery-use\.spec\.ts .*(?:private gallery|no other host)/,
  /\bgallery\.spec\.ts .*(?:, en .*without an account|never run|of emphasis)/,
  /\binvitation\.spec\.ts .*into the console/,
  /\bkey-dialogs\.spec\.ts .*(?:keys, en (?!.*(?:outlives|given up|in the middle))|names the culprit)/,
  /\blook-up\.spec\.ts .*(?:on the spot|stays nowhere)/,
  /\bmails\.spec\.ts .*(?:gone once they are closed|says is text)/,
  /\bmy-keys\.spec\.ts .*(?:and mends it|from its card, and from|what its pattern|can be undone|hostile|ten idle)/,
  /\boverview\.spec\.ts .*(?:has counted|alone$)/,
  /\bpackages\.spec\.ts .*(?:opened|a way back|last one|a stranger)/,
  /\bprofile\.spec\.ts .*other sessions/,
  /\bpush-check\.spec\.ts .*(?:, en .*stores nothing|that are his)/,
  /\breserved-ids\.spec\.ts .*(?:, en .*released|alone$)/,
  /\bsession-end\.spec\.ts .*(?:is asked for again|gets nothing of what)/,
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
