import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { problemResponse, refTo } from '../../http/index.ts';
import type { SettingsService } from '../settings/index.ts';
import { ConsoleInfoSchema } from './console-info.schema.ts';
import type { SetupService } from './setup.service.ts';

/** What the console must know before anybody has signed in, and nothing more. */
export function registerConsoleInfoRoutes(
  root: FastifyInstance,
  deps: { readonly setup: SetupService; readonly settings: SettingsService; readonly hasSmtp: boolean },
): void {
  const app = root.withTypeProvider<TypeBoxTypeProvider>();
  app.addSchema(ConsoleInfoSchema);
  app.get(
    '/v1/console',
    {
      config: { auth: { kinds: ['anonymous'], action: null } },
      schema: {
        operationId: 'getConsole',
        tags: ['sessions'],
        summary: 'What the console shows before sign-in',
        response: { 200: refTo(ConsoleInfoSchema), default: problemResponse },
      },
    },
    async (request) => {
      const { workspace } = request.caller;
      const { defaultLocale, supportEmail, supportUrl, galleryRead } = await deps.settings.get(workspace.id);
      return {
        workspaceName: workspace.name,
        url: workspace.url,
        isSetupOpen: await deps.setup.isOpen(workspace.id),
        hasSmtp: deps.hasSmtp,
        isGalleryOpen: galleryRead === 'anonymous',
        defaultLocale,
        supportEmail,
        supportUrl,
      };
    },
  );
}
