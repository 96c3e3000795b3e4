import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A regular expression of the sources, with where it stands. */
export interface Pattern {
  /** Relative to the repository, with the line. */
  readonly place: string;
  readonly source: string;
  readonly flags: string;
}

export interface Collected {
  readonly patterns: readonly Pattern[];
  /** `new RegExp` over what the source does not spell out. */
  readonly dynamic: readonly { readonly place: string; readonly text: string }[];
}

/** Sources of the product: without tests, and without what was generated or is there for tests only. */
export function listSources(): string[] {
  const packages = ['server', 'sdk', 'cli', 'console'].map((name) => `packages/${name}/src`);
  return packages
    .flatMap((folder) =>
      readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    )
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$|\.d\.ts$/.test(name))
    .toSorted();
}

/** Every literal, every `new RegExp` and `RegExp()` of a fixed text, and every `pattern` of a schema. */
export function collectPatterns(
  files: readonly { readonly name: string; readonly text: string }[],
): Collected {
  const patterns: Pattern[] = [];
  const dynamic: { place: string; text: string }[] = [];
  for (const { name, text } of files) {
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    const placeOf = (node: ts.Node) =>
      `${name}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf('/');
        patterns.push({
          place: placeOf(node),
          source: node.text.slice(1, end),
          flags: node.text.slice(end + 1),
        });
      }
      if (isRegExpCall(node)) {
        const [source, flags] = node.arguments ?? [];
        const fixed = source === undefined ? null : readText(source);
        // Over a literal it is that literal once more, with other flags.
        const isCopy = source !== undefined && ts.isRegularExpressionLiteral(source);
        if (fixed !== null)
          patterns.push({ place: placeOf(node), source: fixed, flags: (flags && readText(flags)) ?? '' });
        else if (!isCopy) dynamic.push({ place: placeOf(node), text: node.getText() });
      }
      // The validator compiles them so (ajv, `unicodeRegExp`).
      if (ts.isPropertyAssignment(node) && node.name.getText() === 'pattern') {
        const fixed = readText(node.initializer);
        if (fixed !== null) patterns.push({ place: placeOf(node), source: fixed, flags: 'u' });
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return { patterns, dynamic };
}

export function readSources(names: readonly string[]): { name: string; text: string }[] {
  return names.map((name) => ({ name, text: readFileSync(path.join(ROOT, name), 'utf8') }));
}

function isRegExpCall(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  return (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp';
}

function readText(node: ts.Node): string | null {
  return ts.isStringLiteralLike(node) ? node.text : null;
}
