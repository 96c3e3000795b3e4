import { NupkgFault, spellNumber } from './fault.ts';
import type { XmlNode } from './nuspec-xml.ts';

const LINE_BREAK_OR_CONTROL = /[\u0000-\u0020\u007F]/;

/** The only child of this name, or `null`. Two would let two readers see two packages, so they are refused. */
export function childOf(parent: XmlNode, name: string): XmlNode | null {
  const found = parent.children.filter((child) => child.name === name);
  if (found.length > 1) {
    throw new NupkgFault(
      'element_duplicate',
      `The manifest has the element "${name}" more than once. Keep only one.`,
    );
  }
  return found[0] ?? null;
}

/** The trimmed text of a field; `null` when it is absent or blank. */
export function textOf(parent: XmlNode, name: string, maxChars: number): string | null {
  const child = childOf(parent, name);
  if (child === null) return null;
  if (child.children.length > 0) throw invalidField(name, 'It must hold plain text without elements.');
  return limitText(child.text, name, maxChars);
}

export function requiredText(parent: XmlNode, name: string, maxChars: number): string {
  const text = textOf(parent, name, maxChars);
  if (text === null)
    throw new NupkgFault('field_missing', `The manifest lacks the required field "${name}". Add it.`);
  return text;
}

/** An absolute http or https address, exactly as written. */
export function urlOf(parent: XmlNode, name: string, maxChars: number): string | null {
  const text = textOf(parent, name, maxChars);
  if (text === null) return null;
  const url = LINE_BREAK_OR_CONTROL.test(text) ? null : URL.parse(text);
  const isWeb = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  // The parser forgives "http:host" and backslashes; a client that does not would read another address.
  if (!isWeb || !/^[A-Za-z]+:\/\/[^/\\]/.test(text))
    throw invalidField(name, 'Use an absolute http or https address.');
  return text;
}

export function booleanOf(parent: XmlNode, name: string): boolean {
  const text = textOf(parent, name, 16);
  if (text === null) return false;
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  if (lower === 'false' || lower === '0') return false;
  throw invalidField(name, 'Use true or false.');
}

/** An attribute, trimmed; `null` when it is absent or blank. */
export function attributeOf(node: XmlNode, name: string, maxChars: number): string | null {
  return limitText(node.attributes.get(name) ?? '', name, maxChars);
}

export function invalidField(name: string, remedy: string): NupkgFault {
  return new NupkgFault('field_invalid', `The field "${name}" of the manifest is not valid. ${remedy}`);
}

function limitText(text: string, name: string, maxChars: number): string | null {
  const trimmed = text.trim();
  if (trimmed.length > maxChars) {
    throw new NupkgFault(
      'field_too_long',
      `The field "${name}" of the manifest is too long: at most ${spellNumber(maxChars)} characters are allowed.`,
    );
  }
  return trimmed === '' ? null : trimmed;
}
