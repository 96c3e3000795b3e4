import { defineConfig } from '@playwright/test';
import whole from './playwright.config.ts';

/** What `npm test` runs. Not by an option of the command: those leave out nothing that another file depends on. */
export default defineConfig(whole, { grepInvert: /@full/, metadata: { isShort: true } });
