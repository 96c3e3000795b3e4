import Type from 'typebox';

/** Generous limits: the exact ones are told by `findPermissionFaults`, which names the offending entry. */
export const PermissionSchema = Type.Object(
  {
    actions: Type.Array(Type.String({ maxLength: 256 }), {
      maxItems: 1000,
      description: '`service:verb`, `service:resource:verb` or `service:*`.',
    }),
    resources: Type.Array(Type.String({ maxLength: 1024 }), {
      maxItems: 2000,
      description: 'Patterns; `*` stands for any run of characters. At most 100 in all, 128 characters each.',
    }),
  },
  {
    $id: 'Permission',
    additionalProperties: false,
    description: 'These actions, on resources that match one of these patterns.',
  },
);
