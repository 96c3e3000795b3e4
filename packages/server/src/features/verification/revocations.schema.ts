import Type from 'typebox';

export const RevocationEpochSchema = Type.Object(
  {
    workspaceId: Type.String(),
    epoch: Type.Integer({
      minimum: 0,
      description:
        'Rises with each change that can turn an answer about a key into another. Answers got under one epoch are true while it is the epoch.',
    }),
    at: Type.String({ format: 'date-time', description: 'When the epoch was read.' }),
    readAtMs: Type.Integer({
      description:
        'When the epoch was read, in milliseconds of a clock of the server process that no correction moves. It counts from nowhere in particular: subtract `openedAtMs`.',
    }),
  },
  { $id: 'RevocationEpoch', additionalProperties: false },
);
