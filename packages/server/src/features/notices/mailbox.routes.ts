import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse, refTo } from '../../http/index.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import { presentMail, presentOpenedMail } from './mailbox.present.ts';
import {
  MailPageSchema,
  MailParams,
  MailQuerySchema,
  MailSchema,
  OpenedMailSchema,
} from './mailbox.schema.ts';
import type { MailboxService } from './mailbox.service.ts';

const tags = ['mailbox'];

export function registerMailboxRoutes(root: FastifyInstance, service: MailboxService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(MailSchema);
  app.addSchema(OpenedMailSchema);
  app.get(
    '/v1/mailbox',
    {
      config: { auth: { kinds: ['session'], action: null } },
      schema: {
        operationId: 'listMails',
        tags,
        summary: 'Mails of the last 30 days and how they fared',
        description: 'Administrators see the mails to everybody, members those to themselves.',
        querystring: MailQuerySchema,
        response: { 200: MailPageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const { limit = PAGE_LIMIT_DEFAULT, cursor, state = null } = request.query;
      const page = await service.list(request.caller, { limit, cursor, state });
      return { items: page.items.map(presentMail), nextCursor: page.nextCursor };
    },
  );
  app.get(
    '/v1/mailbox/:id',
    {
      config: { auth: { kinds: ['session'], action: null } },
      // A HEAD would write that the mail was opened, though nobody has seen it.
      exposeHeadRoute: false,
      schema: {
        operationId: 'openMail',
        tags,
        summary: 'Read a mail that is kept here',
        description:
          'Without an SMTP server, mails stay here. Only their addressee sees the links and secrets in them; for everybody else, administrators too, these are replaced by dots. A mail to an address that belongs to no account is masked for everybody: send the keys of service accounts by SMTP, or copy them from the answer that created them. Each opening is recorded in the audit log.',
        params: MailParams,
        response: { 200: refTo(OpenedMailSchema), default: problemResponse },
      },
    },
    async (request) => presentOpenedMail(await service.open(request.caller, request.params.id)),
  );
}
