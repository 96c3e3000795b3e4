/** The limits of the server, for saying so before anything is sent. */
export const COMMENT_CHARACTERS_MAX = 256;
export const REASON_CHARACTERS_MAX = 256;
/** Patterns and single packages of one key together. */
export const PATTERNS_MAX = 100;
