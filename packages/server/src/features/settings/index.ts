export { registerSettingsRoutes } from './settings.routes.ts';
export { type Settings } from './settings.schema.ts';
export { createSettingsService, type SettingsService } from './settings.service.ts';
