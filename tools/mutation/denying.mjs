import ts from 'typescript';

/** Functions that answer yes or no, let through or throw, find what is wrong, or tell rights. */
const DECIDES = new RegExp(
  [
    '^(?:is|has|can|may|holds?|covers|matches|lacks|require|refuse|check|verify|judge|decide|admit|authenticate)(?:[A-Z]|$)',
    '^(?:find|list)\\w*(?:Faults?|Excess|Refusal|Repeated\\w*)',
    '^(?:effective|restrict|narrow|without|keep|grantsOf|rightsOf|createCoverage|codeOf|resolve|reassess|recognize|prove)',
  ].join('|'),
);
const LITERALS = new Set(['StringLiteral', 'ObjectLiteral', 'ArrayDeclaration']);
/** Calls that throw, make what is thrown, or note what is wrong. */
const THROWN = /^(?:refuse|\w+Errors\.\w+|faults\.push)$/;
/** What a branch gives that lets nobody through. */
const REFUSAL =
  /^(?:return\s+)?(?:false|null|undefined|NOT_FOUND|refuse\(|\w+Errors\.\w+|behindDoor\(|\{ code: |'[a-z_]+'|return;)/;

/**
 * Finds mutants that could let somebody through: they stand in a condition one of whose branches throws or gives
 * `false`, `null`, an error or a code of refusal, in such a branch, or in a function whose name says that it decides.
 * Rather too many than too few: each that survives has to be looked at.
 *
 * Words and lists in what is thrown do not count: it is thrown all the same.
 *
 * @returns {(mutant: { mutatorName: string, location: { start: Place, end: Place } }) => boolean} A place is a line
 *   and a column, both from 1 on, as in the reports.
 */
export function createDenialFinder(fileName, text) {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, true);
  const at = ({ line, column }) => source.getPositionOfLineAndCharacter(line - 1, column - 1);
  return ({ mutatorName, location: { start, end } }) => {
    for (let node = innermost(source, at(start), at(end)); node !== undefined; node = node.parent) {
      if (LITERALS.has(mutatorName) && isThrown(node)) return false;
      if (isDenying(node, source)) return true;
      if (ts.isFunctionLike(node) && !ts.isArrowFunction(node)) return isDecider(node);
      if (ts.isArrowFunction(node) && isDecider(node.parent)) return true;
    }
    return false;
  };
}

function isThrown(node) {
  return ts.isThrowStatement(node) || (ts.isCallExpression(node) && THROWN.test(node.expression.getText()));
}

/** The smallest node around the text of a mutant. */
function innermost(node, start, end) {
  const child = node.getChildren().find((one) => one.getStart() <= start && one.getEnd() >= end);
  return child === undefined ? node : innermost(child, start, end);
}

function isDecider(node) {
  return node?.name !== undefined && DECIDES.test(node.name.getText().replace('#', ''));
}

function isDenying(node, source) {
  if (ts.isThrowStatement(node)) return true;
  if (ts.isIfStatement(node))
    return [node.thenStatement, node.elseStatement].some((branch) => branch && gives(branch, source));
  if (ts.isConditionalExpression(node))
    return [node.whenTrue, node.whenFalse].some((branch) => gives(branch, source));
  return ts.isVariableDeclaration(node) && isDecider(node);
}

/** A branch, or the last statement of one, that lets nobody through. */
function gives(branch, source) {
  const last = ts.isBlock(branch) ? branch.statements.at(-1) : branch;
  if (last === undefined) return false;
  return ts.isThrowStatement(last) || REFUSAL.test(last.getText(source));
}
