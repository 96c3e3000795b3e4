import { defineErrors } from './catalogue.ts';

/** Faults of a request that have nothing to do with any feature. */
export const requestErrors = defineErrors('request', {
  invalid: {
    status: 400,
    title: 'The request is not valid',
    remedy: 'Correct the fields that are listed in `errors` and send the request again.',
  },
  malformed: {
    status: 400,
    title: 'The request cannot be read',
    remedy: 'Send a well-formed HTTP request; a JSON body must be valid JSON with each member named once.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    remedy:
      'Check the address and the id. What you may not see is answered in the same way as what does not exist.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    remedy: 'Use one of the methods named in the `Allow` header.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send a smaller body; the limit is named in the message.',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    remedy: 'Send fewer or shorter headers; the limit is named in the message.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    remedy: 'Send the body as `application/json`.',
  },
  timeout: {
    status: 408,
    title: 'The request took too long',
    remedy: 'Send the request again over a faster connection.',
  },
  precondition_required: {
    status: 428,
    title: 'If-Match is required',
    remedy:
      'Read the object, then send its `ETag` back in `If-Match`, so that a change by somebody else is not overwritten.',
  },
  precondition_failed: {
    status: 412,
    title: 'The object was changed by somebody else',
    remedy: 'Read the object again, look at what has changed, and repeat the edit with the new `ETag`.',
  },
  unknown_host: {
    status: 421,
    title: 'Unknown host',
    remedy: 'Use the host name of a workspace, or ask an administrator to add this one as an alias.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    remedy:
      'This is a fault of the server. Give the request id to your administrator, who finds the cause in the log.',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    remedy: 'Nothing was changed. Try again after the time in `Retry-After`.',
  },
  outcome_unknown: {
    // Not 503: programs and proxies send again what was answered so, and the change would be made twice.
    status: 500,
    title: 'It is not known whether the change was made',
    remedy:
      'The database broke off while the change was stored. Look whether it was made before you send the request again.',
  },
  too_many: {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait for the time in `Retry-After`, then try again.',
  },
});
