import Type from 'typebox';

export const ConsoleInfoSchema = Type.Object(
  {
    workspaceName: Type.String(),
    url: Type.String({ description: 'Origin of the workspace, from the configuration.' }),
    isSetupOpen: Type.Boolean({ description: 'The set-up code waits for the first administrator.' }),
    hasSmtp: Type.Boolean({ description: 'Mails leave the server; without it they stay in its mailbox.' }),
    isGalleryOpen: Type.Boolean({ description: 'Everybody reads the gallery, without an account.' }),
    defaultLocale: Type.Union([Type.Literal('en'), Type.Literal('ja')]),
    supportEmail: Type.Union([Type.String(), Type.Null()]),
    supportUrl: Type.Union([Type.String(), Type.Null()]),
  },
  { $id: 'ConsoleInfo', additionalProperties: false },
);
