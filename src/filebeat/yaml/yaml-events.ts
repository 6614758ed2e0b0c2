/** js-yaml's events of the first document → raw nodes, without recursion. */
import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { YamlRefusal } from './yaml-cursor.js';
import { maximalDepth, type RawNode } from './yaml-nodes.js';

type ScalarEvent = Event & { type: typeof EVENT_ID.SCALAR };
type CollectionEvent = Event & { type: typeof EVENT_ID.MAPPING | typeof EVENT_ID.SEQUENCE };

/** Undefined for a text without a document. Throws YamlRefusal. */
export function composeDocument(text: string): RawNode | undefined {
  const composer = new Composer(text);
  for (const event of readEvents(text)) {
    if (event.type === EVENT_ID.DOCUMENT) {
      if (composer.root) break;
      for (const directive of event.directives)
        if (directive.kind === 'tag') composer.handles.set(directive.handle, directive.prefix);
    } else if (event.type === EVENT_ID.POP) {
      if (!composer.close()) break;
    } else if (event.type === EVENT_ID.ALIAS) composer.addAlias(event.anchorStart, event.anchorEnd);
    else composer.addNode(event);
  }
  return composer.root;
}

function readEvents(text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: maximalDepth });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // js-yaml's message quotes the text, which may hold a secret: pass on the line only.
    throw new YamlRefusal(
      error.reason.includes('maxDepth') ? 'yaml-limit' : 'yaml-syntax',
      (error.mark?.line ?? 0) + 1,
    );
  }
}

class Composer {
  root: RawNode | undefined;
  readonly handles = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);
  private readonly anchors = new Map<string, RawNode>();
  private readonly open: { node: RawNode; key?: RawNode | undefined }[] = [];
  private readonly lineAt: (offset: number) => number;
  private line = 1;

  constructor(private readonly text: string) {
    this.lineAt = lineCounter(text);
  }

  addAlias(start: number, end: number): void {
    this.line = this.lineAt(start);
    const target = this.anchors.get(this.text.slice(start, end));
    if (!target) throw new YamlRefusal('yaml-alias', this.line);
    this.add({ kind: 'alias', line: this.line, target });
  }

  addNode(event: ScalarEvent | CollectionEvent): void {
    const start = event.type === EVENT_ID.SCALAR ? event.valueStart : event.start;
    const offset = Math.min(...[start, event.anchorStart, event.tagStart].filter((position) => position >= 0));
    // An empty value has no position; it gets the line of the token before it.
    if (Number.isFinite(offset)) this.line = this.lineAt(offset);
    const node = this.nodeOf(event);
    if (event.anchorStart >= 0) this.anchors.set(this.text.slice(event.anchorStart, event.anchorEnd), node);
    this.add(node);
    if (node.kind !== 'scalar') this.open.push({ node });
  }

  /** Ends the innermost map or list; false if none is open. */
  close(): boolean {
    return this.open.pop() !== undefined;
  }

  private nodeOf(event: ScalarEvent | CollectionEvent): RawNode {
    const { text, line } = this;
    if (event.type === EVENT_ID.MAPPING) return { kind: 'map', line, pairs: [] };
    if (event.type === EVENT_ID.SEQUENCE) return { kind: 'list', line, items: [] };
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const tag = this.fullTag(event.tagStart, event.tagEnd);
    return { kind: 'scalar', line, text: scalarText(text, event), plain, tag };
  }

  private fullTag(start: number, end: number): string | undefined {
    if (start < 0) return undefined;
    const spelled = this.text.slice(start, end);
    const [, verbatim, handle = '!', suffix = ''] = /^!<(.*)>$|^(!!|!\w+!|!)(.*)$/.exec(spelled) ?? [];
    return verbatim ?? (this.handles.get(handle) ?? handle) + suffix;
  }

  private add(node: RawNode): void {
    const parent = this.open.at(-1);
    if (!parent) this.root ??= node;
    else if (parent.node.kind === 'list') parent.node.items.push(node);
    else if (parent.key === undefined) parent.key = node;
    else if (parent.node.kind === 'map') {
      parent.node.pairs.push({ key: parent.key, value: node });
      parent.key = undefined;
    }
  }
}

/** js-yaml adds a line break to a block scalar that ends with the file; yaml.v2 does not. */
function scalarText(text: string, event: ScalarEvent): string {
  const value = getScalarValue(text, event);
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
  const isAdded = isBlock && event.valueEnd === text.length && !text.endsWith('\n') && value.endsWith('\n');
  return isAdded ? value.slice(0, -1) : value;
}

/** Offset → 1-based line. Offsets nearly always ascend, so each line break is counted about once. */
function lineCounter(text: string): (offset: number) => number {
  const nextBreak = (from: number) => {
    const index = text.indexOf('\n', from);
    return index < 0 ? text.length : index;
  };
  let [start, stop, line] = [0, nextBreak(0), 1];
  return (offset) => {
    if (offset < start) [start, stop, line] = [0, nextBreak(0), 1];
    while (stop < offset) [start, stop, line] = [stop + 1, nextBreak(stop + 1), line + 1];
    return line;
  };
}
