/** What stands before the operations of the OpenAPI document, and what its tags are about. */

export const INTRODUCTION = `Keyreeve keeps API keys: it creates them, verifies them for any service, exchanges them for short-lived tokens, and guards a package gallery with them. This document is the whole API, as this server runs it.

## Credentials

Each operation says who may call it, and which action a key or token needs.

- **A key**: \`Authorization: Bearer <full key>\`, \`X-API-Key: <full key>\`, or Basic with the API key as the user name and the secret key as the password.
- **A token**: \`Authorization: Bearer <token>\`. \`POST /iam/login\` exchanges a key for one.
- **A session of the console**, by its cookie. Requests that change something must come from the pages of this server.

A header counts before the cookie. Two different credentials are refused with 400 \`auth.ambiguous_credentials\`. An answer to a key that expires soon carries \`Keyreeve-Key-Expires\`.

## Errors

Errors are problems by RFC 9457 (\`application/problem+json\`). \`code\` never changes its meaning; \`type\` leads to its page, \`detail\` says what to do, \`errors\` names the fields at fault, \`instance\` is the id of the request. Package and sign-in clients of old get what they know instead.

Every operation may answer: 400 \`request.malformed\`, 404 \`request.not_found\`, 405 \`request.method_not_allowed\`, 408 \`request.timeout\`, 413 \`request.body_too_large\`, 415 \`request.unsupported_media_type\`, 421 \`request.unknown_host\`, 429 \`request.too_many\`, 431 \`request.headers_too_large\`, 500 \`request.internal\` and \`request.outcome_unknown\`, and 503 \`request.unavailable\`. After 429 and 503 wait as long as \`Retry-After\` says, then repeat. What else there is stands with each operation.

## Lists

\`?limit=\` rows a page, 50 unless told, at most 200. \`nextCursor\` of an answer, sent as \`?cursor=\`, gets the next page; it is null on the last. \`?q=\` searches.

## Changes

What can be edited comes with an \`ETag\`. Send it back as \`If-Match\`: when somebody else was faster, the answer is 412 \`request.precondition_failed\` and nothing is changed. Without the header the answer is 428 \`request.precondition_required\`; \`*\` changes whatever is there.

Times are ISO 8601 in UTC. Unknown fields are refused with 400.`;

/** In the order of the page: what a newcomer needs first. */
export const TAGS: readonly { readonly name: string; readonly description: string }[] = [
  { name: 'tokens', description: 'Exchange a key for a short-lived token; check and end tokens.' },
  {
    name: 'verification',
    description: 'Ask whether a key is good and what it may do; for services and gateways.',
  },
  { name: 'keys', description: 'Create, edit, regenerate, disable and delete API keys.' },
  { name: 'accounts', description: 'Users and service accounts, their roles and grants.' },
  { name: 'packages', description: 'Packages, their owners, and who may push them.' },
  { name: 'gallery', description: 'The gallery as package clients (NuGet V2 and V3) and visitors read it.' },
  { name: 'settings', description: 'The rules of the workspace.' },
  { name: 'audit', description: 'Who did what, when and from where.' },
  { name: 'webhooks', description: 'Tell programs what becomes of keys.' },
  { name: 'feeds', description: 'Coming expiries in a calendar or a feed reader.' },
  { name: 'mailbox', description: 'The mails of the workspace and how they fared.' },
  { name: 'sessions', description: 'Sign-in to the console, passwords and invitations.' },
  { name: 'workspaces', description: 'The tenants of this installation.' },
  { name: 'operations', description: 'Is the server alive and ready?' },
];

/** What each status of a success means, where a route does not say more. */
export const SUCCESS_TEXTS: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Created.',
  202: 'Accepted; it happens in the background.',
  204: 'Done; no body.',
  304: 'What you have is up to date.',
};

/** Parameters whose meaning is the same wherever they occur. */
export const PARAMETER_TEXTS: Readonly<Record<string, string>> = {
  id: 'The id, as lists tell it. Of a package: its name.',
  kid: 'The id of a signing key.',
  keyId: 'The API key: the public half, `kr_` and 16 characters.',
  accountId: 'The id of a user or service account, `acc_…`.',
  version: 'The version of a package.',
  requestId: 'The id of a request to own a package.',
  deliveryId: 'The id of a delivery.',
  token: 'The secret part of a feed link.',
  lower: 'The lowest version of the page.',
  upper: 'The highest version of the page.',
  since: 'From this instant on (ISO 8601).',
  until: 'Before this instant (ISO 8601).',
  order: 'What the list is sorted by.',
  state: 'Only those in this state.',
  account: 'Only those of this account.',
  expiresBefore: 'Only keys that expire before this instant (ISO 8601).',
  skip: 'How many results to leave out.',
  packageType: 'Only packages of this type.',
};
