import { findErrorEntry } from '../errors/index.ts';
import type { RouteAuth } from './auth-hook.ts';

/** Codes that any operation may answer; the introduction of the document names them. */
export const COMMON_CODES = [
  'request.malformed',
  'request.not_found',
  'request.method_not_allowed',
  'request.timeout',
  'request.body_too_large',
  'request.unsupported_media_type',
  'request.headers_too_large',
  'request.unknown_host',
  'request.too_many',
  'request.internal',
  'request.outcome_unknown',
  'request.unavailable',
] as const;

const LIMITS = ['limit.rate_limited', 'limit.quota_exceeded'];
const NEW_SECRET = [
  'key.scope_exceeds_account',
  'key.scope_exceeds_caller',
  'key.mail_address_missing',
  'key.mail_address_not_allowed',
  'key.mail_limit',
  'key.mail_value_needs_smtp',
  'key.account_disabled',
  'key.write_not_permitted',
];
const NEW_KEY = [...NEW_SECRET, 'key.limits_exceed_caller'];
const KEY_WRITE = ['key.write_not_permitted', 'key.altered'];
const EDITED_ACCOUNT = [
  'account.login_taken',
  'account.not_for_kind',
  'account.grant_exceeds_own',
  'account.last_admin',
  'auth.forbidden',
];
const DELETED_ACCOUNT = ['auth.forbidden', 'account.last_admin', 'account.owns_packages'];
const FRESH_SESSION = [
  'auth.cross_site',
  'session.link_unusable',
  'session.account_disabled',
  'account.password_weak',
];
const PACKAGE_KEY = [
  ...LIMITS,
  'package.key_required',
  'package.key_refused',
  'package.not_permitted',
  'package.not_owner',
];
const PUSH = [
  ...PACKAGE_KEY,
  'package.owner_unusable',
  'package.exists',
  'package.id_reserved',
  'package.quota_reached',
  'package.too_large',
  'package.unreadable',
  'blob.full',
  'blob.unavailable',
];
const VERSION_CHANGE = [...PACKAGE_KEY, 'package.not_found'];
const BLOB = ['blob.damaged', 'blob.missing', 'blob.unavailable'];
const SHOWN_VERSION = ['package.not_found', 'package.not_permitted'];
const DOWNLOAD = ['package.not_found', 'package.range_not_satisfiable', ...BLOB];
const OWNERS = [
  'auth.forbidden',
  'package.too_many_owners',
  'package.too_many_requests',
  'package.quota_reached',
];
/** The credential is in the address or in the body, so its operations look at it themselves. */
const IAM = ['auth.ambiguous_credentials', 'auth.required', 'auth.invalid_credential', ...LIMITS];

/** What the rules of an operation refuse, beside its credentials and the form of the request. */
const CODES_OF_OPERATION: Readonly<Record<string, readonly string[]>> = {
  createKey: [
    ...NEW_KEY,
    'key.scope_required',
    'key.scopes_not_allowed',
    'key.lifetime_not_allowed',
    'key.owner_not_allowed',
    'key.too_many',
  ],
  regenerateKey: [...NEW_SECRET, ...KEY_WRITE, 'key.not_regenerable', 'key.overlap_not_allowed'],
  updateKey: [
    ...KEY_WRITE,
    'key.field_immutable',
    'key.scope_required',
    'key.scopes_not_allowed',
    'key.scope_exceeds_account',
    'key.scope_exceeds_caller',
    'key.limits_exceed_caller',
  ],
  getKey: ['key.altered'],
  deleteKey: KEY_WRITE,
  disableKey: KEY_WRITE,
  enableKey: [...KEY_WRITE, 'key.scope_exceeds_caller', 'key.limits_exceed_caller'],
  exportAuditChain: ['audit.not_chained'],
  endKeyOverlap: [...KEY_WRITE, 'key.no_overlap'],
  importKeys: ['auth.forbidden', 'key.import_faulty', 'key.limits_exceed_caller'],
  openKeyLink: ['key.link_unusable'],
  createFeedLink: ['auth.forbidden', 'feed.too_many_links'],
  createUser: [...EDITED_ACCOUNT, 'account.password_weak'],
  createServiceAccount: [...EDITED_ACCOUNT, 'account.unknown_manager'],
  updateUser: EDITED_ACCOUNT,
  updateServiceAccount: [...EDITED_ACCOUNT, 'account.unknown_manager'],
  deleteUser: DELETED_ACCOUNT,
  deleteServiceAccount: DELETED_ACCOUNT,
  signIn: ['auth.cross_site', 'session.wrong_credentials', 'session.account_disabled', 'session.throttled'],
  setUp: [
    'auth.cross_site',
    'setup.wrong_code',
    'setup.already_done',
    'session.throttled',
    'account.password_weak',
    'account.login_taken',
  ],
  changePassword: ['session.wrong_current_password', 'session.throttled', 'account.password_weak'],
  requestPasswordReset: ['auth.cross_site', 'session.throttled'],
  resetPassword: FRESH_SESSION,
  acceptInvitation: FRESH_SESSION,
  updateSettings: ['settings.contradiction', 'settings.smtp_required'],
  createWorkspace: ['workspace.no_base_domain', 'workspace.subdomain_taken'],
  openMail: ['mailbox.not_kept'],
  createWebhook: ['webhook.too_many'],
  testWebhook: ['webhook.disabled'],
  replayWebhookDelivery: ['webhook.disabled', 'webhook.delivery_pending'],
  pushPackage: PUSH,
  previewPackage: PUSH,
  unlistPackageVersion: VERSION_CHANGE,
  relistPackageVersion: VERSION_CHANGE,
  deprecatePackageVersions: VERSION_CHANGE,
  unlistVersion: SHOWN_VERSION,
  relistVersion: SHOWN_VERSION,
  deprecateVersions: SHOWN_VERSION,
  downloadPackage: DOWNLOAD,
  getPackageFile: DOWNLOAD,
  readReadme: BLOB,
  getRegistration: ['package.not_found'],
  getRegistrationPage: ['package.not_found'],
  getRegistrationLeaf: ['package.not_found'],
  readPackageFeed: [
    ...DOWNLOAD,
    'odata.filter_malformed',
    'odata.filter_too_complex',
    'odata.filter_unsupported',
    'odata.no_such_resource',
    'odata.option_invalid',
    'odata.unknown_property',
  ],
  addPackageOwner: OWNERS,
  requestPackageOwner: OWNERS,
  acceptOwnerRequest: ['package.request_void', 'package.too_many_owners'],
  removePackageOwner: ['auth.forbidden', 'package.last_owner'],
  transferPackage: OWNERS,
  createPackagePrefix: ['package.prefix_taken'],
  updatePackagePrefix: ['package.prefix_taken'],
  iamLogin: [...IAM, 'token.resource_not_allowed'],
  iamCheckSession: IAM,
  iamLogout: IAM,
  oauthToken: [
    ...LIMITS,
    'oauth.invalid_client',
    'oauth.invalid_request',
    'oauth.invalid_scope',
    'oauth.invalid_target',
    'oauth.invalid_authorization_details',
    'oauth.unsupported_grant_type',
    'token.resource_not_allowed',
    'token.too_long',
    'token.chain_too_long',
  ],
  oauthIntrospect: [...LIMITS, 'oauth.invalid_client', 'oauth.invalid_request', 'oauth.invalid_token'],
  oauthRevoke: ['oauth.invalid_client', 'oauth.invalid_request', 'oauth.unsupported_token_type'],
  rotateSigningKeys: ['signing_key.successor_waiting'],
  retireSigningKey: ['signing_key.already_retired'],
};

export interface OperationFacts {
  readonly operationId: string;
  readonly method: string;
  readonly auth: RouteAuth | undefined;
  readonly hasBody: boolean;
  readonly hasParameters: boolean;
}

function codesOfCredentials({ auth, method }: OperationFacts): string[] {
  const kinds = auth?.kinds ?? [];
  const takes = (kind: (typeof kinds)[number]) => kinds.includes(kind);
  const takesKeys = takes('key') || takes('token');
  if (!takesKeys && !takes('session')) return [];
  return [
    'auth.ambiguous_credentials',
    ...(takes('anonymous') ? [] : ['auth.required']),
    // Whoever comes with a credential is known before it is asked whether the operation is for that kind.
    'auth.invalid_credential',
    'auth.key_expired',
    'auth.key_disabled',
    'auth.account_disabled',
    'auth.ip_not_allowed',
    'auth.session_ended',
    'auth.other_account',
    ...(['GET', 'HEAD'].includes(method) ? [] : ['auth.cross_site']),
    ...(['session', 'key', 'token'].every((kind) => kinds.some((each) => each === kind))
      ? []
      : ['auth.kind_not_accepted']),
    ...(auth?.isAdminOnly === true || auth?.isSystemOnly === true ? ['auth.forbidden'] : []),
    ...(takesKeys && auth?.action !== null ? ['auth.insufficient_scope'] : []),
    // A deferred route has a form of its own for these.
    ...(takesKeys && auth?.isUnlimited !== true && auth?.isDeferred !== true ? LIMITS : []),
  ];
}

/** The codes that an operation may answer, beside those that any may. */
export function listErrorCodes(facts: OperationFacts): string[] {
  const { operationId, method, hasBody, hasParameters } = facts;
  const codes = [
    ...codesOfCredentials(facts),
    ...(hasBody || hasParameters ? ['request.invalid'] : []),
    ...(hasBody ? ['request.body_too_large', 'request.unsupported_media_type'] : []),
    ...(needsIfMatch(operationId, method)
      ? ['request.precondition_failed', 'request.precondition_required']
      : []),
    ...(CODES_OF_OPERATION[toBaseName(operationId)] ?? []),
  ];
  return [...new Set(codes)];
}

/** Some operations have several addresses, or are there for two sets of versions. */
function toBaseName(operationId: string): string {
  return operationId.replace(/^cam/, 'iam').replace(/(?:V4|SemVer2)$/, '');
}

/** Operations of OAuth know 401 for the client and 400 for all other faults of a request (RFC 6749 5.2). */
export function statusOf(code: string, operationId: string): number {
  const status = findErrorEntry(code)?.status ?? 500;
  const isOAuth = operationId.startsWith('oauth') && status < 500;
  return isOAuth && ![401, 421, 429].includes(status) ? 400 : status;
}

/** Whatever can be edited is edited against the state that the caller has seen. */
export function needsIfMatch(operationId: string, method: string): boolean {
  return method === 'PATCH' && operationId.startsWith('update');
}
