import type { FieldFault } from '../../errors/index.ts';
import { requestErrors } from '../../errors/index.ts';
import type { Permission } from '../../lib/permission.ts';
import { hasHiddenText, isEmailAddress } from '../../lib/text.ts';
import { isTimeZone } from '../../lib/time-zone.ts';
import { findPermissionFaults } from '../scopes/index.ts';

/** What a new account may do unless an administrator says otherwise; ownership of packages still applies. */
export const DEFAULT_GRANTS: readonly Permission[] = [{ actions: ['package:*'], resources: ['*'] }];

export interface AccountTexts {
  readonly email?: string | null | undefined;
  readonly displayName?: string | undefined;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly disabledReason?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly grants?: readonly Permission[] | undefined;
}

function findTextFault(field: string, text: string, isRequired: boolean): FieldFault | null {
  if (isRequired && text.trim() === '') return { field, message: 'is blank; write a name' };
  return hasHiddenText(text)
    ? { field, message: 'contains control or text-direction characters; remove them' }
    : null;
}

/** @throws request.invalid naming each field whose text cannot be taken as it is */
export function checkAccountTexts(input: AccountTexts): void {
  const faults: (FieldFault | null)[] = [];
  if (typeof input.email === 'string' && !isEmailAddress(input.email)) {
    faults.push({
      field: 'email',
      message: 'must be one plain address like ada@example.com, at most 254 characters',
    });
  }
  if (typeof input.timeZone === 'string' && !isTimeZone(input.timeZone))
    faults.push({ field: 'timeZone', message: 'must be an IANA name like Asia/Tokyo, or null' });
  if (input.displayName !== undefined) faults.push(findTextFault('displayName', input.displayName, true));
  for (const field of ['firstName', 'lastName', 'description', 'disabledReason'] as const) {
    const text = input[field];
    if (typeof text === 'string') faults.push(findTextFault(field, text, false));
  }
  for (const [index, tag] of (input.tags ?? []).entries())
    faults.push(findTextFault(`tags[${index}]`, tag, true));
  if (input.grants !== undefined) faults.push(...findPermissionFaults(input.grants, 'grants'));
  const fields = faults.filter((fault) => fault !== null);
  if (fields.length > 0)
    throw requestErrors.invalid({
      fields,
      detail: fields.map((fault) => `${fault.field} ${fault.message}`).join('; '),
    });
}
