import { stripInvisible } from './initials.ts';

// Joiners and variation selectors belong to some names, and stand on no keyboard.
const JOINERS = /[\u200c\u200d\p{Variation_Selector}]/gu;

/** A name by what a person can read and type of it. */
function toTypeable(name: string): string {
  return stripInvisible(name.replace(JOINERS, '')).normalize('NFC');
}

/** Whether the text is the name, as far as it can be typed; a name that cannot be at all has to be copied. */
export function isNameTyped(typed: string, name: string): boolean {
  const wanted = toTypeable(name);
  return wanted === '' ? typed === name : toTypeable(typed) === wanted;
}
