import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import Type from 'typebox';
import { ListQuery, problemResponse, refTo } from '../../http/index.ts';
import { toIso } from '../../lib/clock.ts';
import { PAGE_LIMIT_DEFAULT } from '../../lib/page.ts';
import {
  CreatedWorkspaceSchema,
  CreateWorkspaceSchema,
  WorkspacePageSchema,
  WorkspaceSchema,
} from './workspaces.schema.ts';
import type { WorkspacesService, WorkspaceView } from './workspaces.service.ts';

function presentWorkspace(view: WorkspaceView): Static<typeof WorkspaceSchema> {
  const { id, name, subdomain, isDefault, url } = view.workspace;
  return {
    id,
    name,
    subdomain,
    isDefault,
    url,
    aliases: [...view.aliases],
    createdAt: toIso(view.createdAt),
  };
}

export function registerWorkspaceRoutes(root: FastifyInstance, service: WorkspacesService): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(WorkspaceSchema);
  app.addSchema(CreatedWorkspaceSchema);
  app.get(
    '/v1/workspaces',
    {
      config: {
        auth: {
          kinds: ['session', 'key', 'token'],
          action: 'iam:workspaces:read',
          resource: 'workspaces',
          isSystemOnly: true,
        },
      },
      schema: {
        operationId: 'listWorkspaces',
        tags: ['workspaces'],
        summary: 'All workspaces of the installation',
        querystring: Type.Object(
          { limit: ListQuery.limit, cursor: ListQuery.cursor },
          { additionalProperties: false },
        ),
        response: { 200: WorkspacePageSchema, default: problemResponse },
      },
    },
    async (request) => {
      const page = await service.list({
        limit: request.query.limit ?? PAGE_LIMIT_DEFAULT,
        cursor: request.query.cursor,
      });
      return { items: page.items.map(presentWorkspace), nextCursor: page.nextCursor };
    },
  );
  app.post(
    '/v1/workspaces',
    {
      config: {
        auth: {
          kinds: ['session', 'key', 'token'],
          action: 'iam:workspaces:write',
          resource: 'workspaces',
          isSystemOnly: true,
        },
      },
      schema: {
        operationId: 'createWorkspace',
        tags: ['workspaces'],
        summary: 'Create a workspace',
        body: CreateWorkspaceSchema,
        response: { 201: refTo(CreatedWorkspaceSchema), default: problemResponse },
      },
    },
    async (request, reply) => {
      const { name, subdomain, aliases } = request.body;
      const created = await service.create(request.caller, { name, subdomain, aliases: aliases ?? [] });
      return reply
        .code(201)
        .send({ workspace: presentWorkspace(created), setupCode: created.setupCode.reveal() });
    },
  );
}
