/** Properties that hold sentences for people; what they say is compared where it is a promise, not word for word. */
const WORDING = new Set(['detail', 'message', 'description', 'summary']);
const TEXTS = new Set(['StringLiteral', 'TemplateLiteral']);

/**
 * Mutants that no test should have to notice: a test that repeats a sentence word for word holds nothing. Only the
 * sentence itself is left out; a condition inside or around it is not.
 */
export const strykerPlugins = [{ kind: 'Ignore', name: 'wording', value: { shouldIgnore } }];

function shouldIgnore({ node, parent }) {
  if (!TEXTS.has(node.type)) return undefined;
  if (parent?.type === 'ObjectProperty' && WORDING.has(parent.key.name)) return 'a sentence for people';
  if (parent?.type === 'CallExpression' && parent.callee.name === 'refuse') return 'a sentence for people';
  const isInError = parent?.type === 'NewExpression' && parent.callee.name?.endsWith('Error') === true;
  return isInError && parent.arguments[0] === node ? 'the text of an internal error' : undefined;
}
