import Type from 'typebox';
import { pageOf, refTo } from '../../http/index.ts';

const HOST =
  '^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}$';

const fields = {
  id: Type.String(),
  name: Type.String(),
  subdomain: Type.Union([Type.String(), Type.Null()]),
  isDefault: Type.Boolean(),
  url: Type.String(),
  aliases: Type.Array(Type.String()),
  createdAt: Type.String({ format: 'date-time' }),
};

export const WorkspaceSchema = Type.Object(fields, { $id: 'Workspace', additionalProperties: false });
export const CreatedWorkspaceSchema = Type.Object(
  {
    workspace: refTo(WorkspaceSchema),
    setupCode: Type.String({ description: 'One-time code for its first administrator; shown only here.' }),
  },
  { $id: 'CreatedWorkspace', additionalProperties: false },
);
export const WorkspacePageSchema = pageOf(refTo(WorkspaceSchema));

export const CreateWorkspaceSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    subdomain: Type.String({
      pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
      description: 'Lower-case letters, digits and hyphens.',
    }),
    aliases: Type.Optional(
      Type.Array(Type.String({ pattern: HOST, maxLength: 253 }), {
        maxItems: 20,
        uniqueItems: true,
        description: 'Further host names of the workspace.',
      }),
    ),
  },
  { additionalProperties: false },
);
