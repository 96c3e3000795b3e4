import { type SaxesAttributeNS, SaxesParser } from 'saxes';
import { NupkgFault, spellNumber } from './fault.ts';
import {
  MAX_NUSPEC_BYTES,
  MAX_XML_ATTRIBUTES,
  MAX_XML_DEPTH,
  MAX_XML_NODES,
  XML_SLICE_CHARS,
} from './limits.ts';
import type { Pace } from './pace.ts';

/** One element: its own text without that of its children, and the attributes that have no prefix. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlNode[];
  text: string;
}

const NAMESPACES = new Set(
  ['2010/07', '2011/08', '2011/10', '2012/06', '2013/01', '2013/05'].map(
    (month) => `http://schemas.microsoft.com/packaging/${month}/nuspec.xsd`,
  ),
);

/**
 * Parses a manifest into a small tree. Elements of foreign namespaces are left out with all they hold. A document
 * type is refused at once, and so is anything deep, wide or long beyond what a manifest needs; long documents give
 * way to other work between slices.
 */
export async function parseNuspecXml(bytes: Uint8Array, pace: Pace): Promise<XmlNode> {
  if (bytes.length > MAX_NUSPEC_BYTES) {
    throw new NupkgFault(
      'nuspec_too_large',
      'The manifest (.nuspec) is larger than 1 MiB. Shorten its texts.',
    );
  }
  const { text, encodings } = decode(bytes);
  const builder = createTreeBuilder(encodings);
  for (let start = 0; start < text.length; start += XML_SLICE_CHARS) {
    await pace.step();
    builder.write(text.slice(start, start + XML_SLICE_CHARS));
  }
  return builder.finish();
}

/** The text, and the names by which its XML declaration may call the encoding that was found. */
function decode(bytes: Uint8Array): { text: string; encodings: readonly string[] } {
  const [first, second, third, fourth] = bytes;
  const isUtf16Le = first === 0xff && second === 0xfe && !(third === 0 && fourth === 0);
  const isUtf16Be = first === 0xfe && second === 0xff;
  const encoding = isUtf16Le ? 'utf-16le' : isUtf16Be ? 'utf-16be' : 'utf-8';
  // Windows PowerShell saves text as UTF-16 under a declaration that says UTF-8; the byte order mark is the truth.
  const encodings = encoding === 'utf-8' ? ['utf-8'] : ['utf-16', encoding, 'utf-8'];
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes), encodings };
  } catch {
    throw encodingFault();
  }
}

interface TreeBuilder {
  write(slice: string): void;
  finish(): XmlNode;
}

function createTreeBuilder(encodings: readonly string[]): TreeBuilder {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: { node: XmlNode; isForeign: boolean }[] = [];
  let root: XmlNode | null = null;
  let nodes = 0;
  let attributes = 0;

  const countNode = (): void => {
    nodes += 1;
    if (nodes > MAX_XML_NODES) throw complexFault();
  };
  const addText = (text: string): void => {
    countNode();
    const top = open.at(-1);
    if (top !== undefined) top.node.text += text;
  };
  parser.on('error', (error) => {
    throw xmlFault(error);
  });
  parser.on('xmldecl', ({ version, encoding }) => {
    if (version !== '1.0') throw xmlFault();
    if (encoding !== undefined && !encodings.includes(encoding.toLowerCase())) throw encodingFault();
  });
  parser.on('doctype', () => {
    throw new NupkgFault('doctype', 'The manifest (.nuspec) has a document type (DOCTYPE). Remove it.');
  });
  parser.on('comment', countNode);
  parser.on('processinginstruction', countNode);
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('opentagstart', () => {
    countNode();
    attributes = 0;
    if (open.length >= MAX_XML_DEPTH) throw complexFault();
  });
  parser.on('attribute', () => {
    attributes += 1;
    if (attributes > MAX_XML_ATTRIBUTES) throw complexFault();
  });
  parser.on('opentag', (tag) => {
    const node: XmlNode = {
      name: tag.local,
      attributes: plainAttributes(tag.attributes),
      children: [],
      text: '',
    };
    const parent = open.at(-1);
    const isKnown = tag.uri === '' || NAMESPACES.has(tag.uri);
    const isForeign = !isKnown || parent?.isForeign === true;
    if (parent === undefined) {
      if (isForeign) throw namespaceFault();
      root = node;
    } else if (!isForeign) {
      parent.node.children.push(node);
    }
    open.push({ node, isForeign });
  });
  parser.on('closetag', () => {
    open.pop();
  });

  return {
    write(slice) {
      parser.write(slice);
    },
    finish() {
      parser.close();
      if (root === null) throw xmlFault();
      return root;
    },
  };
}

function plainAttributes(attributes: Record<string, SaxesAttributeNS>): Map<string, string> {
  const plain = new Map<string, string>();
  for (const attribute of Object.values(attributes)) {
    if (attribute.prefix === '') plain.set(attribute.local, attribute.value);
  }
  return plain;
}

function xmlFault(cause?: unknown): NupkgFault {
  return new NupkgFault(
    'nuspec_xml',
    'The manifest (.nuspec) is not well-formed XML 1.0. Correct it and pack again.',
    {
      cause,
    },
  );
}

function encodingFault(): NupkgFault {
  return new NupkgFault(
    'nuspec_encoding',
    'The manifest (.nuspec) has an unknown encoding. Save it as UTF-8.',
  );
}

function namespaceFault(): NupkgFault {
  return new NupkgFault(
    'nuspec_namespace',
    'The manifest (.nuspec) has an unknown XML namespace. Use that of a NuGet manifest, or none.',
  );
}

function complexFault(): NupkgFault {
  return new NupkgFault(
    'nuspec_too_complex',
    `The manifest (.nuspec) is too complex: at most ${spellNumber(MAX_XML_NODES)} nodes, ${MAX_XML_DEPTH} levels ` +
      `and ${MAX_XML_ATTRIBUTES} attributes of an element are allowed.`,
  );
}
