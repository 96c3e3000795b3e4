/**
 * - `malformed`: no access token of a Keyreeve server: its form, type, header or encoding
 * - `unknown_key`: signed by a key that the issuer does not publish (any more)
 * - `wrong_signature`: not made by the key that it names
 * - `wrong_issuer`, `wrong_audience`: made by or for somebody else
 * - `wrong_claims`: a claim is missing, has another type than it must, or tells of a life that no token has
 * - `expired`, `not_yet_valid`: by the clock of this machine, with the tolerance of the verifier
 * - `inactive`: the server says that it is no good (any more), and not why
 */
export type TokenRefusal =
  | 'malformed'
  | 'unknown_key'
  | 'wrong_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'wrong_claims'
  | 'expired'
  | 'not_yet_valid'
  | 'inactive';

/** The token is not good. `reason` is for logs; whoever sent the token is told nothing but 401. Holds no part of it. */
export class TokenRefusedError extends Error {
  override readonly name = 'TokenRefusedError';
  readonly reason: TokenRefusal;

  constructor(reason: TokenRefusal) {
    super(`The token was refused: ${reason.replaceAll('_', ' ')}.`);
    this.reason = reason;
  }
}
