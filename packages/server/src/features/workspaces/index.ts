export { registerWorkspaceRoutes } from './workspaces.routes.ts';
export { createWorkspacesService, type PlaceConfig, type WorkspacesService } from './workspaces.service.ts';
