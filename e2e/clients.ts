import { type Run, run } from './run.ts';

/** The Python of Debian with Debian's modules; `python3` on the PATH may be another. */
export const PYTHON = '/usr/bin/python3';

/** Runs a script in bash, as a person pastes it into a terminal. */
export async function runBash(script: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return await run('/usr/bin/bash', ['-c', script], { env });
}

export async function runPython(
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return await run(PYTHON, ['-c', script, ...args], { env });
}

export interface CurlAnswer {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
  readonly body: string;
}

/** One request by the real curl. Throws when there was no answer. */
export async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const { code, stdout, stderr } = await run('/usr/bin/curl', [
    '--silent',
    '--show-error',
    '--include',
    ...args,
  ]);
  // Interim answers (100 Continue) come first.
  const match = /^(?:HTTP\/[\d.]+ 1\d\d[^]*?\r\n\r\n)*(HTTP\/[\d.]+ (\d{3})[^]*?)\r\n\r\n([^]*)$/.exec(
    stdout,
  );
  if (code !== 0 || match === null) throw new Error(`curl ended with ${code}: ${stderr}${stdout}`);
  const [, head = '', status = '', body = ''] = match;
  return { status: Number(status), head, body };
}

/**
 * Checks a token as a stranger would: Debian's PyJWT, knowing nothing of Keyreeve but the address, gets the
 * public keys and verifies signature, issuer, audience and times. Prints header and claims as JSON.
 */
const VERIFY_TOKEN = `
import json, sys, jwt
url, token, audience = sys.argv[1:4]
key = jwt.PyJWKClient(url + "/.well-known/jwks.json").get_signing_key_from_jwt(token)
claims = jwt.decode(token, key.key, algorithms=["ES256", "EdDSA", "RS256"], issuer=url, audience=audience,
                    options={"require": ["iss", "aud", "sub", "iat", "exp", "jti"]})
print(json.dumps({"header": jwt.get_unverified_header(token), "claims": claims}))
`;

export interface VerifiedToken {
  readonly header: { readonly typ: string; readonly alg: string; readonly kid: string };
  readonly claims: {
    readonly iss: string;
    readonly aud: string;
    readonly sub: string;
    readonly iat: number;
    readonly exp: number;
    readonly jti: string;
    readonly client_id: string;
  };
}

/** @throws Error with what PyJWT says when the token is no good */
export async function verifyToken(
  url: string,
  token: string,
  audience = url,
  env: Readonly<Record<string, string>> = {},
): Promise<VerifiedToken> {
  const { code, stdout, stderr } = await runPython(VERIFY_TOKEN, [url, token, audience], env);
  if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  return JSON.parse(stdout) as VerifiedToken;
}
