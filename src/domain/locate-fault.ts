import { type Document, isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { Fault, FaultPath } from './template-faults.ts';

/** A place in a file, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/** A parsed YAML (or JSON) text that knows where each value stands. */
export interface SourceDocument {
  /** Faults of the syntax; the value is null when there are any. */
  syntaxFaults: readonly (Position & { message: string })[];
  value: unknown;
  positionOf(fault: Fault): Position;
}

function resolve(document: Document, node: unknown): unknown {
  return isNode(node) && 'resolve' in node
    ? (node as { resolve(d: Document): unknown }).resolve(document)
    : node;
}

interface Found {
  /** The deepest node that exists on the path. */
  node: Node | null;
  /** Offset of its key, or of itself in a list. */
  offset: number;
  /** Whether the whole path exists. */
  complete: boolean;
}

/** Walks down the path as far as it goes, so that a missing field is reported where it should stand. */
function find(document: Document, path: FaultPath): Found {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const key of path) {
    const parent = resolve(document, node);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair) return { node: isNode(node) ? node : null, offset, complete: false };
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
      continue;
    }
    const items = isNode(parent) && 'items' in parent ? (parent.items as unknown[]) : [];
    const item = typeof key === 'number' ? items[key] : undefined;
    if (!isNode(item)) return { node: isNode(node) ? node : null, offset, complete: false };
    node = item;
    offset = item.range?.[0] ?? offset;
  }
  return { node: isNode(node) ? node : null, offset, complete: true };
}

/** Where a line of an inline text begins: below the header of a literal block scalar, else where the text begins. */
function contentPosition(text: string, counter: LineCounter, found: Found, contentLine: number): Position {
  const start = found.node?.range?.[0] ?? found.offset;
  const { line, col } = counter.linePos(start);
  if (!isScalar(found.node) || found.node.type !== 'BLOCK_LITERAL') return { line, column: col };
  const at = line + contentLine;
  const begin = counter.lineStarts[at - 1] ?? start;
  const indent = /^ */.exec(text.slice(begin, begin + 200))![0].length;
  return { line: at, column: indent + 1 };
}

/** Reads YAML 1.2, of which JSON is a part. */
export function readSource(text: string): SourceDocument {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const place = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line, column: col };
  };
  const syntaxFaults = document.errors.map(({ message, pos }) => ({ ...place(pos[0]), message }));
  let value: unknown = null;
  if (syntaxFaults.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      syntaxFaults.push({ line: 1, column: 1, message });
    }
  }
  return {
    syntaxFaults,
    value,
    positionOf: (fault) => {
      const found = find(document, fault.path);
      if (fault.contentLine !== undefined && fault.file === undefined)
        return contentPosition(text, counter, found, fault.contentLine);
      return place(found.offset);
    },
  };
}
