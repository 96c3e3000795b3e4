/**
 * Mantine writes the text of style elements through `innerHTML`, which Trusted Types refuse without a policy.
 * Style text holds no `<`; anything that does is markup and stays refused.
 */
interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML: (text: string) => string }): unknown;
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };

trustedTypes?.createPolicy('default', {
  createHTML: (text) => {
    if (text.includes('<')) throw new TypeError('The console writes no HTML.');
    return text;
  },
});
