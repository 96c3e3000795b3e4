const SHOWN_CHARACTERS = 4;

/** How a key was written down. */
export type Spelling = 'full key' | 'pair';

/** Where in its text something begins: byte, and the line and column (from 1) that an editor shows. */
export interface Spot {
  readonly offset: number;
  line: number;
  column: number;
}

/** One place of one key in one text. */
export interface Hit {
  readonly key: FoundKey;
  readonly spelling: Spelling;
  /** Of the full key, or of the secret of a pair. */
  readonly spot: Spot;
  /** Of the API key of a pair. */
  readonly apiKeySpot: Spot | null;
}

/** A key that stands where it should not. Its secret leaves this object on purpose only: see `reveal`. */
export class FoundKey {
  readonly apiKey: string;
  readonly #secretKey: string;

  constructor(apiKey: string, secretKey: string) {
    this.apiKey = apiKey;
    this.#secretKey = secretKey;
  }

  /** Enough to tell two secrets of one key apart, and too little to help anybody guess. */
  get maskedSecret(): string {
    return `${this.#secretKey.slice(0, SHOWN_CHARACTERS)}…`;
  }

  /** For the server that is asked about it, and to tell keys apart in memory. */
  reveal(): string {
    return this.#secretKey;
  }

  toJSON(): object {
    return { apiKey: this.apiKey, secretKey: this.maskedSecret };
  }
}
