import type { MailPart } from './mime.ts';

/** One node of the tree of parts (RFC 2046): a text, something attached, or what holds others. */
export interface PartNode {
  /** Path in the tree, as in `1.2`; '' for what holds all others, `0` if the mail is nothing but this part. */
  readonly partId: string;
  /** Lower case, without parameters. */
  readonly contentType: string;
  /** As the mail names them; '' if it does not. */
  readonly charset: string;
  readonly encoding: string;
  readonly fileName: string;
  readonly contentId: string;
  /** Null for what holds others. */
  readonly place: MailPart['place'] | null;
  /** Octets once decoded, those of a text as UTF-8; of what holds others, the sum of theirs. */
  readonly bytes: number;
  /** Where the content of a text part lies in the joined texts; absent in all others. */
  readonly text?: TextPlace;
  readonly children: readonly PartNode[];
}

/** A stretch of `text` or `html` of a mail taken apart, in UTF-16 units. */
export interface TextPlace {
  readonly of: 'text' | 'html';
  readonly from: number;
  readonly to: number;
}

/** The node of mailparser's tree, as far as we read it; its types do not tell. */
export interface ParserNode {
  readonly contentType?: string | false;
  /** Decoded text of a text part; absent in others. */
  readonly textContent?: string;
  readonly charset?: string;
  readonly headers?: ReadonlyMap<string, unknown>;
  /** Of the splitter below it. */
  readonly node?: { readonly encoding?: string | false; readonly filename?: string | false };
  readonly children: readonly ParserNode[];
}

type Leaf = Pick<MailPart, 'partId' | 'fileName' | 'contentType' | 'contentId' | 'place' | 'bytes'>;

export interface MailTree {
  /** The text parts joined, text and HTML apart. */
  readonly text: string;
  readonly html: string;
  readonly structure: PartNode;
}

interface Growing extends PartNode {
  bytes: number;
  readonly children: Growing[];
}

/**
 * Reads the tree that the parser has built: the texts in it, and its shape with what is attached.
 * Not recursive: the depth is the sender's choice.
 * @param leaves what is attached
 */
export function readTree(root: ParserNode | undefined, leaves: readonly Leaf[]): MailTree {
  if (root === undefined) return plainTree('');
  const byId = new Map(leaves.map((leaf) => [leaf.partId, leaf]));
  const texts = { text: new Joined(), html: new Joined() };
  const grown: { readonly node: Growing; readonly parent: Growing | undefined }[] = [];
  const rootId = isMultipart(root) ? '' : '0';
  const waiting: { readonly node: ParserNode; readonly partId: string; readonly parent: Growing | undefined }[] = [
    { node: root, partId: rootId, parent: undefined },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, partId, parent } = next;
    const made = grow(node, partId, byId.get(partId), texts);
    parent?.children.push(made);
    grown.push({ node: made, parent });
    for (let at = node.children.length - 1; at >= 0; at--) {
      const childId = partId === '' || partId === '0' ? String(at + 1) : `${partId}.${at + 1}`;
      waiting.push({ node: node.children[at]!, partId: childId, parent: made });
    }
  }
  for (const { node, parent } of grown.toReversed()) if (parent !== undefined) parent.bytes += node.bytes;
  return { text: texts.text.whole, html: texts.html.whole, structure: grown[0]!.node };
}

/** The tree of a mail that cannot be taken apart: its body, which is shown as it stands. */
export function plainTree(body: string): MailTree {
  return readTree({ contentType: 'text/plain', textContent: body, children: [] }, []);
}

/** Finds a part that is a text of the mail itself by its path. */
export function findText(root: PartNode, partId: string): PartNode | undefined {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.partId === partId) return node.text === undefined ? undefined : node;
    for (const child of node.children) waiting.push(child);
  }
  return undefined;
}

function grow(
  node: ParserNode,
  partId: string,
  leaf: Leaf | undefined,
  texts: Readonly<Record<TextPlace['of'], Joined>>,
): Growing {
  const contentType = leaf?.contentType ?? (node.contentType || 'text/plain');
  const id = node.headers?.get('content-id');
  const facts = {
    partId,
    contentType,
    charset: node.charset ?? '',
    encoding: (node.node?.encoding || '').toLowerCase(),
    fileName: leaf?.fileName ?? (node.node?.filename || ''),
    contentId: leaf?.contentId ?? (typeof id === 'string' ? id.trim().replace(/^<|>$/g, '') : ''),
    children: [],
  };
  if (leaf !== undefined) return { ...facts, place: leaf.place, bytes: leaf.bytes };
  if (isMultipart(node)) return { ...facts, place: null, bytes: 0 };
  const of = contentType === 'text/html' ? 'html' : 'text';
  const content = node.textContent ?? '';
  return { ...facts, place: 'inline', bytes: Buffer.byteLength(content), text: texts[of].add(of, content) };
}

function isMultipart({ contentType }: ParserNode): boolean {
  return typeof contentType === 'string' && contentType.startsWith('multipart/');
}

/** Texts that become one, with a line end between them. */
class Joined {
  whole = '';

  add(of: TextPlace['of'], text: string): TextPlace {
    if (text !== '' && this.whole !== '') this.whole += '\n';
    const from = this.whole.length;
    this.whole += text;
    return { of, from, to: this.whole.length };
  }
}
