/**
 * Has Node.js take from the data folder what it has made of our source files at an earlier start: half a second of
 * processor time. It is written when the process ends, and made anew where it does not fit the sources or the release
 * of Node.js. Only from a folder of this user to which others cannot add. Called before the sources are loaded, and by
 * nobody but the server: files of another user would be in its way. Never throws.
 */
export function reuseCompileCache(dataDir: string): void;

/** The same, and makes its place at the first start. Called when the lock of the data folder is ours. Never throws. */
export function makeCompileCache(dataDir: string): void;
