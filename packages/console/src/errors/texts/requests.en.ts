import type { ErrorText } from '../error-text.ts';

/** Packages, requests of any kind, and what happens on the way to the server. */
export const REQUEST_TEXTS_EN = {
  'audit.not_chained': {
    title: 'The audit log is being prepared for this export.',
    remedy: 'It is chained since the last upgrade. Try again in some minutes.',
  },
  'blob.damaged': {
    title: 'The package file is damaged.',
    remedy:
      'The stored file does not match its checksum, so it is not handed out. Tell the administrator, who restores it from a backup.',
  },
  'blob.full': {
    title: 'There is no room for the package.',
    remedy:
      'The server has no room for the package right now. Nothing was stored; try again later. Administrators: make room in the store of the package files.',
  },
  'blob.missing': {
    title: 'The package file is missing.',
    remedy:
      'The store of the package files has lost this file. Tell the administrator, who restores it from a backup.',
  },
  'blob.unavailable': {
    title: 'The package files are not available right now.',
    remedy:
      'The store of the package files does not answer as it should right now. Nothing was changed; try again later. Administrators find the cause in the log.',
  },
  'odata.filter_malformed': {
    title: 'The filter cannot be read.',
    remedy: 'Correct the filter at the place that is named.',
  },
  'odata.filter_too_complex': {
    title: 'The filter is too long or too deep.',
    remedy: 'Ask in several steps with shorter filters.',
  },
  'odata.filter_unsupported': {
    title: 'The filter asks for something that the feed does not offer.',
    remedy: 'Filter by what the feed offers; the documentation lists it.',
  },
  'odata.no_such_resource': {
    title: 'The feed has no such resource.',
    remedy: 'Use one of the resources that the feed names at its address.',
  },
  'odata.option_invalid': {
    title: 'An option of the query is not valid.',
    remedy: 'Correct the option that is named.',
  },
  'odata.unknown_property': {
    title: 'The feed has no such property.',
    remedy: 'Use the names of properties as the feed lists them.',
  },
  'package.exists': {
    title: 'The package version exists already and cannot be modified.',
    remedy: 'Push under a new version; what was published once never changes.',
  },
  'package.id_reserved': {
    title: 'The package id is reserved.',
    remedy:
      'Ask the owner of the reserved prefix or an administrator for access to it, or choose a different id.',
  },
  'package.key_refused': {
    title: 'The API key was not accepted.',
    remedy: 'It is not valid, has expired, or has no permission for this package.',
  },
  'package.key_required': {
    title: 'An API key is required.',
    remedy: 'Send a full key in the header X-NuGet-ApiKey.',
  },
  'package.last_owner': {
    title: 'This is the last owner of the package.',
    remedy: 'Add another owner first; a package always has one.',
  },
  'package.not_found': {
    title: 'The package version does not exist.',
    remedy: 'Check the id and the version.',
  },
  'package.not_owner': {
    title: 'The API key acts for an account that does not own the package.',
    remedy: 'Use a key that acts for one of the owners, or have an owner add the account to the package.',
  },
  'package.not_permitted': {
    title: 'The API key does not permit this.',
    remedy: 'Use a key whose action and patterns cover the package, and whose account is granted the same.',
  },
  'package.owner_unusable': {
    title: 'The API key can no longer act for its owner.',
    remedy:
      'The owner was deleted or disabled, or the account of the key no longer manages it. Create a key for another owner.',
  },
  'package.prefix_taken': {
    title: 'The prefix is reserved already.',
    remedy: 'Change the accounts of the existing reservation; one prefix may have several.',
  },
  'package.quota_reached': {
    title: 'A quota of the gallery is reached.',
    remedy: 'Push less, use another owner, or have an administrator raise the limit in the settings.',
  },
  'package.range_not_satisfiable': {
    title: 'The range lies outside the file.',
    remedy: 'Ask for bytes within the size of the file, or for the whole file.',
  },
  'package.request_void': {
    title: 'The request no longer holds.',
    remedy:
      'Whoever made it may no longer hand out this ownership, or the package has changed hands. Have an owner ask anew.',
  },
  'package.too_large': {
    title: 'The package file exceeds the size limit.',
    remedy: 'Make the package smaller and push it again.',
  },
  'package.too_many_owners': {
    title: 'The package has too many owners.',
    remedy:
      'Share a service account as the owner instead: each of its managers can have a key that acts for it.',
  },
  'package.too_many_requests': {
    title: 'The package has too many open requests.',
    remedy: 'Wait until some of them are answered, or withdraw them.',
  },
  'package.unreadable': {
    title: 'The package cannot be read.',
    remedy: 'Check that it is a valid NuGet package with a valid manifest.',
  },
  'request.body_too_large': {
    title: 'Too much was sent at once.',
    remedy: 'Send less at once.',
  },
  'request.headers_too_large': {
    title: 'The browser sent too many headers.',
    remedy: 'Delete the cookies of this address, then try again.',
  },
  'request.internal': {
    title: 'The server made a mistake.',
    remedy: 'Give the request id to your administrator, who finds the cause in the log.',
  },
  'request.invalid': {
    title: 'Some of what was sent is not valid.',
    remedy: 'Correct the marked fields and try again.',
  },
  'request.malformed': {
    title: 'The server cannot read the request.',
    remedy: 'Reload the page and try again.',
  },
  'request.method_not_allowed': {
    title: 'This cannot be done at this address.',
    remedy: 'Reload the page and try again.',
  },
  'request.not_found': {
    title: 'There is nothing here, or you may not see it.',
    remedy: 'Check the address. It may have been deleted meanwhile.',
  },
  'request.precondition_failed': {
    title: 'Somebody else changed this meanwhile.',
    remedy: 'Look at what has changed, then repeat your change.',
  },
  'request.precondition_required': {
    title: 'The version that you saw was not sent along.',
    remedy: 'Reload the page and repeat your change.',
  },
  'request.outcome_unknown': {
    title: 'It is not known whether the change was made.',
    remedy: 'Look whether it was made before you try again.',
  },
  'request.timeout': {
    title: 'The request took too long to arrive.',
    remedy: 'Try again over a faster connection.',
  },
  'request.too_many': {
    title: 'There were too many requests.',
    remedy: 'Wait a moment, then try again.',
  },
  'request.unavailable': {
    title: 'The server is busy for the moment.',
    remedy: 'Nothing was changed. Try again in a moment.',
  },
  'request.unknown_host': {
    title: 'The server does not know this host name.',
    remedy: 'Use the host name of a workspace, or ask an administrator to add this one as an alias.',
  },
  'request.unsupported_media_type': {
    title: 'The server does not take this kind of content.',
    remedy: 'Reload the page and try again.',
  },
  'client.malformed_answer': {
    title: 'The answer did not come from a Keyreeve server.',
    remedy: 'Check the address, and whether a proxy stands between.',
  },
  'client.timeout': {
    title: 'The server did not answer in time.',
    remedy: 'Check your connection and try again. If you were changing something, look whether it was done.',
  },
  'client.unexpected': {
    title: 'The console made a mistake.',
    remedy: 'Reload the page. If it happens again, tell your administrator.',
  },
  'client.unexpected_answer': {
    title: 'Something between you and the server answered in its place.',
    remedy: 'Try again in a moment. If it happens again, tell your administrator.',
  },
  'client.unreachable': {
    title: 'The server cannot be reached.',
    remedy: 'Check your connection, then try again.',
  },
} as const satisfies Record<string, ErrorText>;
