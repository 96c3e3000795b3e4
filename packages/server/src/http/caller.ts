import { authErrors } from './auth-errors.ts';
import type { AuthenticatedPrincipal, Principal } from './principal.ts';

/** The tenant that a request is for, found by its host. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly subdomain: string | null;
  readonly isDefault: boolean;
  /** Origin that links, mails and the issuer of tokens use. Never taken from the request. */
  readonly url: string;
}

/** All that a service needs to know about the request behind a call. */
export interface Caller {
  readonly workspace: Workspace;
  readonly principal: Principal;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

/** A caller whose credential was accepted. */
export type AuthenticatedCaller = Caller & { readonly principal: AuthenticatedPrincipal };

/** @throws auth.required when the caller is nobody. */
export function requireAuthenticated(caller: Caller): AuthenticatedCaller {
  const { principal } = caller;
  if (principal.kind === 'anonymous' || principal.kind === 'system') throw authErrors.required();
  return { ...caller, principal };
}

/** The caller for work that the server does on its own. */
export function systemCaller(workspace: Workspace, name: string): Caller {
  return { workspace, principal: { kind: 'system', name }, ip: null, userAgent: null, requestId: null };
}
