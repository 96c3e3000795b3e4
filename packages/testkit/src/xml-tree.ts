import { SaxesParser } from 'saxes';

/** An element as a client's XML library gives it: with the name as written, and the name as meant. */
export interface XmlElement {
  /** With its prefix. */
  readonly rawName: string;
  readonly local: string;
  readonly uri: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (XmlElement | string)[];
  /** `<a/>`, not `<a></a>`. */
  readonly isSelfClosing: boolean;
}

/** @throws Error for anything that is not well-formed XML with its namespaces declared */
export function parseXmlTree(text: string): XmlElement {
  const root: XmlElement = {
    rawName: '',
    local: '',
    uri: '',
    attributes: {},
    children: [],
    isSelfClosing: false,
  };
  const open: XmlElement[] = [root];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const element: XmlElement = {
      rawName: tag.name,
      local: tag.local,
      uri: tag.uri,
      attributes: Object.fromEntries(Object.values(tag.attributes).map((one) => [one.name, one.value])),
      children: [],
      isSelfClosing: tag.isSelfClosing,
    };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('text', (piece) => open.at(-1)?.children.push(piece));
  parser.on('closetag', () => open.pop());
  parser.write(text).close();
  const [document] = elementsOf(root);
  if (document === undefined) throw new Error('There is no element.');
  return document;
}

export function elementsOf(parent: XmlElement): XmlElement[] {
  return parent.children.filter((child) => typeof child !== 'string');
}

export function textOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}

/** Every element below with this name as written, in the order of the document. */
export function descendants(parent: XmlElement, rawName: string): XmlElement[] {
  return elementsOf(parent).flatMap((child) => [
    ...(child.rawName === rawName ? [child] : []),
    ...descendants(child, rawName),
  ]);
}
