/**
 * The house's own lint rules, for what oxlint's built-in ones cannot say (it has no `no-restricted-syntax`).
 * Loaded by .oxlintrc.json.
 */

/** `new Date()` and `Date()` read the machine's clock; `new Date(milliseconds)` only converts, and is fine. */
const noAmbientTime = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const check = (node) => {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date') return;
      if (node.type === 'NewExpression' && node.arguments.length > 0) return;
      context.report({ node, message: 'Reads the machine clock; take the time from deps.clock.now().' });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

export default {
  meta: { name: 'house' },
  rules: { 'no-ambient-time': noAmbientTime },
};
