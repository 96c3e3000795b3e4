import Type, { type Static } from 'typebox';

import { NOTICE_KINDS } from '../../jobs/index.ts';

const MailText = Type.Object(
  {
    kind: Type.Enum(NOTICE_KINDS),
    locale: Type.Union([Type.Literal('en'), Type.Literal('ja')]),
    subject: Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], {
      description: 'In place of the subject. `{name}` stands for the name that the usual subject has.',
    }),
    intro: Type.Union([Type.String({ minLength: 1, maxLength: 2000 }), Type.Null()], {
      description:
        'In place of the opening words; blank lines part paragraphs. `{name}` stands for the same name.',
    }),
  },
  { additionalProperties: false },
);

const Days = (maximum: number) => Type.Integer({ minimum: 1, maximum });

const Quota = (maximum: number, description: string) =>
  Type.Union([Type.Integer({ minimum: 1, maximum }), Type.Null()], { description });

const fields = {
  lifetimeChoicesDays: Type.Array(Days(3650), {
    minItems: 1,
    maxItems: 20,
    uniqueItems: true,
    description: 'Lifetimes that may be chosen for a key, in days.',
  }),
  defaultLifetimeDays: Type.Integer({
    minimum: 1,
    maximum: 3650,
    description: 'Lifetime when none is asked for; one of the choices.',
  }),
  customLifetimes: Type.Boolean({
    description: 'Allow any whole number of days from 1 to `maxLifetimeDays`.',
  }),
  maxLifetimeDays: Type.Integer({
    minimum: 1,
    maximum: 3650,
    description: 'Longest lifetime of a key, in days.',
  }),
  maxKeysPerAccount: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    description: 'Live (not expired) keys an account may have.',
  }),
  maxPackagesPerAccount: Quota(
    1_000_000,
    'Packages an account may own, shared ones included; null for no limit.',
  ),
  maxVersionsPerPackage: Quota(
    1_000_000,
    'Versions a package may have, unlisted ones included; null for no limit.',
  ),
  maxGalleryBytesPerAccount: Quota(
    2 ** 50,
    'Bytes that all versions of the packages of an account may have together; null for no limit.',
  ),
  tokenLifetimeSeconds: Type.Integer({
    minimum: 60,
    maximum: 86_400,
    description: 'Life of a token: 1 minute to 24 hours.',
  }),
  tokenResources: Type.Array(Type.String({ format: 'uri', maxLength: 512 }), {
    maxItems: 50,
    uniqueItems: true,
    description: 'Audiences that may be asked for with `resource`.',
  }),
  signingAlgorithm: Type.Union([Type.Literal('ES256'), Type.Literal('EdDSA'), Type.Literal('RS256')], {
    description: 'Signature of new tokens.',
  }),
  signingKeyDays: Type.Integer({
    minimum: 1,
    maximum: 366,
    description: 'Days for which a key signs tokens before its successor is published.',
  }),
  galleryRead: Type.Union([Type.Literal('anonymous'), Type.Literal('authenticated')], {
    description:
      'Who reads the package gallery: everybody, or only who comes with a credential and holds `package:read`.',
  }),
  keyMail: Type.Union([Type.Literal('link'), Type.Literal('value')], {
    description: 'Key mails carry a one-time link, or API key and secret key themselves.',
  }),
  expiryNoticeDays: Type.Array(Type.Integer({ minimum: 1, maximum: 365 }), {
    maxItems: 10,
    uniqueItems: true,
    description: 'Days before expiry at which a warning is mailed.',
  }),
  requireAction: Type.Boolean({ description: '`/v1/authorize` refuses questions without an action.' }),
  defaultLocale: Type.Union([Type.Literal('en'), Type.Literal('ja')], {
    description: 'Language of mails to accounts that have not chosen one.',
  }),
  defaultTimeZone: Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'IANA name like `Asia/Tokyo`: times in mails to accounts that have not chosen one.',
  }),
  mailTexts: Type.Array(MailText, {
    maxItems: 100,
    description: 'Subjects and opening words of this workspace, in place of the usual ones.',
  }),
  supportEmail: Type.Union([Type.String({ format: 'email', maxLength: 254 }), Type.Null()], {
    description: 'Where people ask for help.',
  }),
  supportUrl: Type.Union(
    [Type.String({ format: 'uri', pattern: '^https?://', maxLength: 512 }), Type.Null()],
    { description: 'Page where people find help.' },
  ),
};

export const SettingsSchema = Type.Object(fields, { $id: 'Settings', additionalProperties: false });
export const SettingsPatchSchema = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  minProperties: 1,
});

export type Settings = Static<typeof SettingsSchema>;
export type SettingsPatch = Static<typeof SettingsPatchSchema>;

export const DEFAULT_SETTINGS: Settings = {
  lifetimeChoicesDays: [1, 90, 180, 270, 365],
  defaultLifetimeDays: 365,
  customLifetimes: false,
  maxLifetimeDays: 730,
  maxKeysPerAccount: 50,
  maxPackagesPerAccount: 20_000,
  maxVersionsPerPackage: 10_000,
  maxGalleryBytesPerAccount: null,
  tokenLifetimeSeconds: 3600,
  tokenResources: [],
  signingAlgorithm: 'ES256',
  signingKeyDays: 90,
  galleryRead: 'anonymous',
  keyMail: 'link',
  expiryNoticeDays: [10],
  requireAction: false,
  defaultLocale: 'en',
  defaultTimeZone: 'UTC',
  mailTexts: [],
  supportEmail: null,
  supportUrl: null,
};
