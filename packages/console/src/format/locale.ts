/** Languages that the console speaks. */
export type Locale = 'en' | 'ja';
