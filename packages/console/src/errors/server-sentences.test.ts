import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { wordDetail } from './detail-sentences.ts';
import { wordFieldMessage } from './field-sentences.ts';

const SERVER = path.resolve(import.meta.dirname, '../../../server/src');
/** Where the server speaks to people: what programs meet (pushes, tokens, gateways) is answered in English only. */
const FOR_PEOPLE =
  /^features\/(accounts|audit|keys|notices|sessions|settings|workspaces)\/|\/packages\.service\.ts$/;
/** Stands for a value that is known only when the server runs. */
const SOME_VALUE = '7';
/** Values whose wording is part of the sentence and comes from elsewhere. */
const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  'JSON.stringify(choices)': ['["account","scoped"]'],
};

interface Sentence {
  readonly place: string;
  readonly text: string;
}

const sources = new Map(
  readdirSync(SERVER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .toSorted()
    .map((name) => {
      const text = readFileSync(path.join(SERVER, name), 'utf8');
      return [name, ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)] as const;
    }),
);

function visitAll(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => visitAll(child, visit));
}

/** What a function that finds a fault may answer. */
function answersOf(functionName: string): readonly string[] {
  const answers: string[] = [];
  for (const source of sources.values()) {
    visitAll(source, (node) => {
      if (!ts.isFunctionDeclaration(node) || node.name?.text !== functionName) return;
      visitAll(node, (inner) => {
        if (ts.isReturnStatement(inner) && inner.expression !== undefined)
          answers.push(...wordingsOf(inner.expression, source));
      });
    });
  }
  return answers;
}

function declarationOf(name: string, source: ts.SourceFile): ts.Expression | null {
  let found: ts.Expression | null = null;
  visitAll(source, (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name && node.initializer)
      found = node.initializer;
  });
  return found;
}

/** Every text that the expression can be; empty when nothing of it is written in the source. */
function wordingsOf(node: ts.Expression, source: ts.SourceFile): readonly string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node))
    return [...wordingsOf(node.whenTrue, source), ...wordingsOf(node.whenFalse, source)];
  if (ts.isTemplateExpression(node)) {
    return node.templateSpans.reduce<readonly string[]>(
      (heads, { expression, literal }) =>
        heads.flatMap((head) =>
          valuesOf(expression, source).map((value) => `${head}${value}${literal.text}`),
        ),
      [node.head.text],
    );
  }
  return [];
}

function valuesOf(node: ts.Expression, source: ts.SourceFile): readonly string[] {
  const known = KNOWN_VALUES[node.getText()];
  if (known !== undefined) return known;
  const origin = ts.isIdentifier(node) ? (declarationOf(node.text, source) ?? node) : node;
  const wordings = ts.isCallExpression(origin)
    ? answersOf(origin.expression.getText())
    : wordingsOf(origin, source);
  return wordings.length > 0 ? wordings : [SOME_VALUE];
}

function membersOf(node: ts.ObjectLiteralExpression): ReadonlyMap<string, ts.Expression | null> {
  return new Map(
    node.properties.map((property) => [
      property.name?.getText() ?? '',
      ts.isPropertyAssignment(property) ? property.initializer : null,
    ]),
  );
}

function collect(member: string, beside: string | null): readonly Sentence[] {
  const sentences = new Map<string, Sentence>();
  for (const [place, source] of sources) {
    visitAll(source, (node) => {
      if (!ts.isObjectLiteralExpression(node)) return;
      const members = membersOf(node);
      const value = members.get(member);
      if (!value || (beside !== null && !members.has(beside))) return;
      for (const text of wordingsOf(value, source)) sentences.set(text, { place, text });
    });
  }
  return [...sentences.values()];
}

const fieldMessages = collect('message', 'field');
const details = collect('detail', null).filter(({ place }) => FOR_PEOPLE.test(place));

test('the sources of the server were read', () => {
  expect(fieldMessages.length).toBeGreaterThan(40);
  expect(details.length).toBeGreaterThan(20);
  expect(fieldMessages.map(({ text }) => text)).toEqual(
    expect.arrayContaining([
      'must be one of 7',
      '"7" may contain only A-Z, a-z, 0-9, _, ., - and *',
      'must be one of ["account","scoped"]',
    ]),
  );
});

test('every fault of a field that the server can name is told in whole sentences in both languages', () => {
  const untold = fieldMessages.filter(
    ({ text }) =>
      !/[ぁ-ん].*。$/s.test(wordFieldMessage(text, 'ja') ?? '') ||
      !/^[“"A-Z0-9p].*\.$/s.test(wordFieldMessage(text, 'en') ?? ''),
  );
  expect(untold).toEqual([]);
});

test('every reason that the server gives to people is told in Japanese', () => {
  const untold = details.filter(({ text }) => !/[ぁ-ん].*。$/s.test(wordDetail(text, 'ja') ?? ''));
  expect(untold).toEqual([]);
});
