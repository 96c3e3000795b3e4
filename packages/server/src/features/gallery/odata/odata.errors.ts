import { defineErrors } from '../../../errors/index.ts';

/** Of the V2 feed. Titles hold no digits: see `packageErrors`. */
export const odataErrors = defineErrors('odata', {
  filter_malformed: {
    status: 400,
    title: 'The filter cannot be read',
    remedy:
      "Write the filter as OData does: `Id eq 'Name'`, `startswith(Id, 'Na')`, `not`, `and`, `or`, brackets; the message names the place.",
  },
  filter_unsupported: {
    status: 400,
    title: 'The filter asks for something that the feed does not offer',
    remedy:
      'Filter by the properties, operators and functions that `docs/gallery/v2-feed.md` lists; the message names what is not among them.',
  },
  filter_too_complex: {
    status: 400,
    title: 'The filter is too long or too deep',
    remedy: 'Ask in several requests with shorter filters; the message names the limit.',
  },
  unknown_property: {
    status: 400,
    title: 'The feed has no such property',
    remedy: 'Use the names of properties as `$metadata` lists them.',
  },
  option_invalid: {
    status: 400,
    title: 'A query option is not valid',
    remedy: 'Correct the option that the message names.',
  },
  no_such_resource: {
    status: 404,
    title: 'The feed has no such resource',
    remedy: 'The service document at the address of the feed and its `$metadata` name what there is.',
  },
});
