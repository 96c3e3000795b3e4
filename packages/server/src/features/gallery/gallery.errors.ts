import { defineErrors } from '../../errors/index.ts';

/**
 * The titles hold no digits: a package client reads advice out of the numbers in a reason phrase, and the title
 * is the phrase where the precise text could mislead it.
 */
export const packageErrors = defineErrors('package', {
  key_required: {
    status: 401,
    title: 'An API key is required',
    remedy: "An API key must be provided in the 'X-NuGet-ApiKey' header to use this service",
  },
  key_refused: {
    status: 403,
    title: 'The API key was not accepted',
    remedy:
      'The specified API key is invalid, has expired, or does not have permission to access the specified package.',
  },
  not_permitted: {
    status: 403,
    title: 'The API key does not permit this',
    remedy: 'Use a key whose action and patterns cover the package, and whose account is granted the same.',
  },
  not_owner: {
    status: 403,
    title: 'The API key acts for an account that does not own the package',
    remedy: 'Use a key that acts for one of the owners, or have an owner add the account to the package.',
  },
  owner_unusable: {
    status: 403,
    title: 'The API key can no longer act for its owner',
    remedy:
      'The owner was deleted or disabled, or the account of the key no longer manages it. Create a key for another owner.',
  },
  quota_reached: {
    status: 403,
    title: 'A quota of the gallery is reached',
    remedy: 'Push less, use another owner, or have an administrator raise the limit in the settings.',
  },
  id_reserved: {
    status: 409,
    title: 'The package id is reserved',
    remedy:
      'Ask the owner of the reserved prefix or an administrator for access to it, or push under a different id.',
  },
  prefix_taken: {
    status: 409,
    title: 'The prefix is reserved already',
    remedy: 'Change the accounts of the existing reservation; one prefix may have several.',
  },
  request_void: {
    status: 409,
    title: 'The request no longer holds',
    remedy:
      'Whoever made it may no longer hand out this ownership, or the package has changed hands. Have an owner ask anew.',
  },
  too_many_requests: {
    status: 409,
    title: 'The package has too many open requests',
    remedy: 'Wait until some of them are answered, or withdraw them.',
  },
  exists: {
    status: 409,
    title: 'The package version already exists and cannot be modified',
    remedy: 'Push under a new version; what was published once never changes.',
  },
  not_found: {
    status: 404,
    title: 'The package version does not exist',
    remedy: 'Check the id and the version.',
  },
  too_large: {
    status: 413,
    title: 'The package file exceeds the size limit',
    remedy: 'The package file exceeds the size limit. Please try again.',
  },
  unreadable: {
    status: 400,
    title: 'The package cannot be read',
    remedy: 'Failed to read the package file. Ensure it is a valid NuGet package with a valid manifest.',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'The range lies outside the file',
    remedy: 'Ask for bytes within the size of the file, or for the whole file.',
  },
  last_owner: {
    status: 409,
    title: 'The last owner of the package',
    remedy: 'Add another owner first; a package always has one.',
  },
  too_many_owners: {
    status: 409,
    title: 'The package has too many owners',
    remedy:
      'Share a service account as the owner instead: each of its managers can have a key that acts for it.',
  },
});
