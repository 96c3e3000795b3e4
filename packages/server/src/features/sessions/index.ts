export { registerPasswordRoutes } from './password.routes.ts';
export { createPasswordService, type PasswordService } from './password.service.ts';
export { createPasswordLinks, type PasswordLinks } from './password-links.ts';
export { createPasswords, type Passwords } from './passwords.ts';
export { registerSessionRoutes } from './sessions.routes.ts';
export { createSessionsService, type SessionsService } from './sessions.service.ts';
export { registerSetupRoutes } from './setup.routes.ts';
export { createSetupService, type SetupService } from './setup.service.ts';
export { createThrottle, type Throttle } from './throttle.ts';
