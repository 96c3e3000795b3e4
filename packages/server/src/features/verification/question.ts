import { isIP } from 'node:net';
import { type FieldFault, requestErrors } from '../../errors/index.ts';
import { isAction } from '../scopes/index.ts';
import type { Question } from './decide.ts';

/** Mostly the path of a request. Longer ones are refused rather than cut: cut, two would be one. */
export const RESOURCE_CHARACTERS_MAX = 1024;
const RESOURCE = new RegExp(`^[!-~]{1,${RESOURCE_CHARACTERS_MAX}}$`);

/** Printable ASCII without blanks, and not too long. */
export function isResource(text: string): boolean {
  return RESOURCE.test(text);
}

function refuse({ field, message }: FieldFault): never {
  throw requestErrors.invalid({ fields: [{ field, message }], detail: `${field} ${message}` });
}

/**
 * The question as it is decided. An empty `action` is a gateway whose variable was not set; taken for "no
 * action" it would open the gate for every key, so it is refused like any other text that is no action.
 *
 * @throws request.invalid naming the field
 */
export function readQuestion(input: {
  readonly action?: string | undefined;
  readonly resource?: string | undefined;
}): Question {
  const { action, resource } = input;
  if (action !== undefined && !isAction(action)) {
    refuse({
      field: 'action',
      message: 'must look like service:verb or service:resource:verb, in lower case, at most 64 characters',
    });
  }
  if (resource !== undefined) {
    if (action === undefined) refuse({ field: 'action', message: 'is required when resource is given' });
    if (!isResource(resource)) {
      refuse({
        field: 'resource',
        message: `must be 1 to ${RESOURCE_CHARACTERS_MAX} printable ASCII characters without blanks`,
      });
    }
  }
  return { action: action ?? null, resource: resource ?? null };
}

/** The address of the end client, or null when it was not told. @throws request.invalid */
export function readClientIp(ip: string | undefined): string | null {
  if (ip !== undefined && isIP(ip) === 0) refuse({ field: 'ip', message: 'must be an IPv4 or IPv6 address' });
  return ip ?? null;
}
