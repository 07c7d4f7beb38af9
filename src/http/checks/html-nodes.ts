import type { DomUtils, parseDocument } from 'htmlparser2';

export type Document = ReturnType<typeof parseDocument>;
export type Node = Document['children'][number];
export type Element = ReturnType<typeof DomUtils.getElementsByTagName>[number];

export const isElement = (node: Node): node is Element => 'attribs' in node;
export const isComment = (node: Node): boolean => node.type === 'comment';
export const isDoctype = (node: Node): boolean =>
  node.type === 'directive' && 'data' in node && /^!doctype/i.test(String(node.data));

/** Gives all nodes of a document in its order. Neither recursive nor quadratic: the depth is the sender's choice. */
export function nodesOf(document: Document): Node[] {
  const nodes: Node[] = [];
  let node: Node | null = document.children[0] ?? null;
  while (node !== null) {
    nodes.push(node);
    const child: Node | undefined = 'children' in node ? node.children[0] : undefined;
    node = child ?? following(node, document);
  }
  return nodes;
}

/** The node after a node and all that is in it. */
function following(node: Node, document: Document): Node | null {
  for (let at: Node | null = node; at !== null && at !== document; at = at.parent as Node | null) {
    if (at.next !== null) return at.next as Node;
  }
  return null;
}
