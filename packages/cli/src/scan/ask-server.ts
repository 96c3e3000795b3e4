import { setTimeout as sleep } from 'node:timers/promises';
import {
  type KeyreeveClient,
  KeyreeveError,
  KeyreeveTransportError,
  type VerifyAnswer,
  verifyKey,
} from '@keyreeve/sdk';
import type { Finding, State } from './findings.ts';

const ATTEMPTS = 5;
const WAIT_SECONDS = 2;
const WAIT_SECONDS_MAX = 60;

// All that follow the right secret: a key that is refused here and now can be used elsewhere or later.
const STATES: Readonly<Record<VerifyAnswer['code'], State>> = {
  valid: 'live',
  insufficient_scope: 'live',
  ip_not_allowed: 'live',
  rate_limited: 'live',
  quota_exceeded: 'live',
  expired: 'expired',
  disabled: 'disabled',
  account_disabled: 'disabled',
  not_found: 'unknown',
  malformed: 'unknown',
};

async function askPatiently(client: KeyreeveClient, { key }: Finding): Promise<VerifyAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await verifyKey(client, { apiKey: key.apiKey, secretKey: key.reveal() });
    } catch (error) {
      const isBusy = error instanceof KeyreeveError && (error.status === 429 || error.status === 503);
      if (!isBusy || attempt >= ATTEMPTS) throw error;
      await sleep(Math.min(error.retryAfterSeconds ?? WAIT_SECONDS, WAIT_SECONDS_MAX) * 1_000);
    }
  }
}

/**
 * Asks the server about each key that was found, one after the other.
 *
 * @param told called before each question with how many were asked
 * @returns null, or why the rest was not asked: the keys that were found are worth telling all the same
 */
export async function askServer(
  client: KeyreeveClient,
  findings: readonly Finding[],
  told: (count: number) => void,
): Promise<string | null> {
  for (const [index, finding] of findings.entries()) {
    told(index);
    try {
      const answer = await askPatiently(client, finding);
      finding.state = STATES[answer.code];
      finding.account = answer.account?.login ?? null;
    } catch (error) {
      if (error instanceof KeyreeveError) return `${error.code}: ${error.detail}`;
      if (error instanceof KeyreeveTransportError) return `${error.code}: ${error.message}`;
      throw error;
    }
  }
  return null;
}
