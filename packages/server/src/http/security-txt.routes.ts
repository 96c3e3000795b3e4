import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { requestErrors } from '../errors/index.ts';
import { type Clock, DAY_MS } from '../lib/clock.ts';
import { problemResponse } from './problem.ts';

const VALID_DAYS = 180;

interface Contact {
  readonly addresses: readonly string[];
  readonly policyUrl: string | null;
}

interface SecurityTxtDeps {
  readonly contact: Contact;
  readonly clock: Clock;
}

/**
 * The lines of RFC 9116. `Expires` lies 180 days after the last midnight (UTC): never in the past, under the year that
 * 2.5.5 recommends, and the same on every node. `Canonical` must be https (2.5.2) and is left out elsewhere.
 *
 * @param url Origin of the workspace that was asked, from the configuration.
 * @param now Epoch milliseconds.
 */
export function writeSecurityTxt(contact: Contact, url: string, now: number): string {
  const expires = new Date((Math.floor(now / DAY_MS) + VALID_DAYS) * DAY_MS).toISOString();
  return [
    ...contact.addresses.map((address) => `Contact: ${address}`),
    `Expires: ${expires.replace('.000Z', 'Z')}`,
    'Preferred-Languages: en, ja',
    ...(url.startsWith('https:') ? [`Canonical: ${url}/.well-known/security.txt`] : []),
    ...(contact.policyUrl === null ? [] : [`Policy: ${contact.policyUrl}`]),
    '',
  ].join('\n');
}

/** RFC 9116: whom to tell of a weakness in this installation. It does not exist where no contact was set. */
export function registerSecurityTxtRoute(root: FastifyInstance, { contact, clock }: SecurityTxtDeps): void {
  root.withTypeProvider<TypeBoxTypeProvider>().get(
    '/.well-known/security.txt',
    {
      config: { auth: { kinds: ['anonymous'], action: null } },
      schema: {
        operationId: 'getSecurityTxt',
        tags: ['operations'],
        summary: 'Whom to tell of a weakness (security.txt, RFC 9116)',
        description: 'Answers 404 until the operator sets `KEYREEVE_SECURITY_CONTACT`.',
        response: {
          200: { description: 'The file.', content: { 'text/plain': { schema: Type.String() } } },
          default: problemResponse,
        },
      },
    },
    async (request, reply) => {
      if (contact.addresses.length === 0)
        throw requestErrors.not_found({
          detail: 'Whoever runs this installation has set no contact (`KEYREEVE_SECURITY_CONTACT`).',
        });
      return await reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'public, max-age=86400')
        .send(writeSecurityTxt(contact, request.caller.workspace.url, clock.now()));
    },
  );
}
