import { defineConfig } from '@playwright/test';
import whole from './playwright.config.ts';

/**
 * What `npm run test:full` has alone: most of the second language, faults that people rarely meet, and ways of which
 * another stands for all. A pattern is matched with file, titles and tags.
 */
const FULL_ONLY = [
  /@full/,
  /\b(?:lists|account-forms|key-outcomes)\.spec\.ts/,
  /my-keys\.spec\.ts .*(?:, ja |more than five dead keys|wide and narrow)/,
  /secrets\.spec\.ts .*after create .*(?:untouched|revealed|copied) is in no memory/,
  /secrets\.spec\.ts .*after regenerate .*(?:revealed|copied|in snippets) is in no memory/,
  /session-end\.spec\.ts (?!.*(?:is asked for again|gets nothing of what))/,
  /settings\.spec\.ts .*(?:draw the notices|keep addresses|are no page for members|name a contradiction|cannot be sent)/,
  /profile\.spec\.ts .*(?:remembers the theme|no way to another address)/,
  /invitation\.spec\.ts .*(?:language and theme|mailed key is shown once)/,
  /look-up\.spec\.ts .*(?:1440 wide|trace of its last use|of a mistyped key)/,
  /key-dialogs\.spec\.ts .*(?:all keys are found|outlives a restart|one’s own change is given up)/,
  /accounts\.spec\.ts .*(?:cards on a telephone|owns alone|matches, and when|describe the service accounts)/,
  /audit\.spec\.ts .*(?:names the zone|opened by its address|goes on with older)/,
  /overview\.spec\.ts .*(?:another period|leads to as many)/,
  /packages\.spec\.ts .*(?:say so when nothing|without any secret)/,
  /bench\.spec\.ts .*the town/,
];

/** Not by options of the command: those leave out nothing that another file depends on. */
export default defineConfig(whole, { grepInvert: FULL_ONLY, metadata: { isShort: true } });
