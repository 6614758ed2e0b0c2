/**
 * Bytes of a Filebeat configuration file → the tree that Filebeat's YAML library (gopkg.in/yaml.v2) makes of it, with
 * line numbers. js-yaml parses; `yaml-dialect` and `yaml-scalar` hold what the two libraries see differently.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Fault } from '../../model/model.js';
import { YamlRefusal } from './yaml-cursor.js';
import { translateDialect } from './yaml-dialect.js';
import { maximalDepth, type RawNode, resolveNode, type YamlNode } from './yaml-nodes.js';

export type { YamlNode } from './yaml-nodes.js';

export type YamlResult =
  /** `root` is undefined for a file without a document (empty, comments only). `second`: a later one that is not empty. */
  | { ok: true; root: YamlNode | undefined; second?: SecondDocument }
  /** `fault.at.file` is empty: the caller knows the path. Code `yaml-limit`: too much for us, not for Filebeat. */
  | { ok: false; fault: Fault };

/** `line`: where its content begins. `root`: absent if it cannot be parsed. */
export interface SecondDocument {
  line: number;
  root?: YamlNode;
}

const maximalBytes = 4 * 1024 * 1024;

export interface YamlOptions {
  /** See `bendDialect`. */
  flowColonFatal?: boolean;
  anyKeys?: boolean;
}

/** Reads the first document. Never throws. */
export function parseYaml(bytes: Uint8Array, options: YamlOptions = {}): YamlResult {
  try {
    if (bytes.length > maximalBytes) throw new YamlRefusal('yaml-limit', 1);
    const whole = decodeText(bytes);
    const text = translateDialect(whole, options.flowColonFatal ?? false);
    const raw = compose(text, readEvents(text));
    const second = secondDocument(whole, text, options);
    const root = raw && resolveNode(raw, options.anyKeys);
    return { ok: true, root, ...(second === undefined ? {} : { second }) };
  } catch (error) {
    if (!(error instanceof YamlRefusal)) throw error;
    return { ok: false, fault: { code: error.code, at: { file: '', line: error.line } } };
  }
}

/** UTF-8, or UTF-16 with a byte order mark; every kind of line break becomes `\n`. */
function decodeText(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const valid = new TextDecoder(encoding).decode(bytes);
    throw new YamlRefusal('yaml-encoding', lineOf(valid, valid.indexOf('\uFFFD')));
  }
  const control = /[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]/.exec(text);
  if (control) throw new YamlRefusal('yaml-encoding', lineOf(text, control.index));
  return text.replace(/\r\n|[\r\u0085\u2028\u2029]/g, '\n');
}

/** The first later document with content other than comments. `first`: the first document, on the same lines. */
function secondDocument(whole: string, first: string, options: YamlOptions): SecondDocument | undefined {
  if (!/\n(?:---|\.\.\.)/.test(whole)) return undefined;
  const lines = whole.split('\n');
  const end = first.trimEnd().split('\n').length;
  const begin = lines.findIndex((line, at) => at >= end && /^---(?:\s|$)/.test(line));
  if (begin < 0) return undefined;
  const holds = (line: string) => /^(?:- |["'\w$].*:(?:\s|$))/.test(line);
  const at = lines.findIndex((line, index) => index > begin && holds(line));
  if (at < 0) return undefined;
  const marker = lines.findLastIndex((line, index) => index <= at && /^---(?:\s|$)/.test(line));
  const next = lines.findIndex((line, index) => index > at && /^(?:---|\.\.\.)(?:\s|$)/.test(line));
  // Empty lines in front keep its line numbers.
  const text = '\n'.repeat(marker) + lines.slice(marker, next < 0 ? undefined : next).join('\n');
  const parsed = parseYaml(Buffer.from(text), options);
  return { line: at + 1, ...(parsed.ok && parsed.root !== undefined ? { root: parsed.root } : {}) };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length;
}

function readEvents(text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: maximalDepth });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // js-yaml's message quotes the text: only the place leaves this function.
    throw new YamlRefusal(
      error.reason.includes('maxDepth') ? 'yaml-limit' : 'yaml-syntax',
      (error.mark?.line ?? 0) + 1,
    );
  }
}

/** Events of the first document → raw nodes, without recursion. */
function compose(text: string, events: Event[]): RawNode | undefined {
  const lineAt = lineCounter(text);
  const anchors = new Map<string, RawNode>();
  const handles = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);
  const open: { node: RawNode; key?: RawNode | undefined }[] = [];
  let root: RawNode | undefined;
  let line = 1;
  const fullTag = (start: number, end: number) => {
    if (start < 0) return undefined;
    const [, verbatim, handle = '!', suffix = ''] = /^!<(.*)>$|^(!!|!\w+!|!)(.*)$/.exec(text.slice(start, end)) ?? [];
    return verbatim ?? (handles.get(handle) ?? handle) + suffix;
  };
  const add = (node: RawNode) => {
    const parent = open.at(-1);
    if (!parent) root ??= node;
    else if (parent.node.kind === 'list') parent.node.items.push(node);
    else if (parent.key === undefined) parent.key = node;
    else if (parent.node.kind === 'map') {
      parent.node.pairs.push({ key: parent.key, value: node });
      parent.key = undefined;
    }
  };
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      if (root) break;
      for (const directive of event.directives)
        if (directive.kind === 'tag') handles.set(directive.handle, directive.prefix);
    } else if (event.type === EVENT_ID.POP) {
      if (open.pop() === undefined) break;
    } else if (event.type === EVENT_ID.ALIAS) {
      line = lineAt(event.anchorStart);
      const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
      if (!target) throw new YamlRefusal('yaml-alias', line);
      add({ kind: 'alias', line, target });
    } else {
      const isScalar = event.type === EVENT_ID.SCALAR;
      const places = [isScalar ? event.valueStart : event.start, event.anchorStart, event.tagStart];
      const start = Math.min(...places.filter((place) => place >= 0));
      // An empty value has no place of its own: it stands on the line of what came before.
      if (Number.isFinite(start)) line = lineAt(start);
      let node: RawNode;
      if (isScalar) {
        const plain = event.style === SCALAR_STYLE.PLAIN;
        node = {
          kind: 'scalar',
          line,
          text: scalarText(text, event),
          plain,
          tag: fullTag(event.tagStart, event.tagEnd),
        };
      } else if (event.type === EVENT_ID.MAPPING) node = { kind: 'map', line, pairs: [] };
      else node = { kind: 'list', line, items: [] };
      if (event.anchorStart >= 0) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
      add(node);
      if (node.kind !== 'scalar') open.push({ node });
    }
  }
  return root;
}

/** A block scalar that ends with the file has no last line break to keep; js-yaml gives it one. */
function scalarText(text: string, event: Event & { type: typeof EVENT_ID.SCALAR }): string {
  const value = getScalarValue(text, event);
  const block = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
  const cut = block && event.valueEnd === text.length && !text.endsWith('\n') && value.endsWith('\n');
  return cut ? value.slice(0, -1) : value;
}

/** Offset → line; offsets nearly always ascend, so each line break is counted about once. */
function lineCounter(text: string): (offset: number) => number {
  const nextBreak = (from: number) => {
    const found = text.indexOf('\n', from);
    return found < 0 ? text.length : found;
  };
  let [start, stop, line] = [0, nextBreak(0), 1];
  return (offset) => {
    if (offset < start) [start, stop, line] = [0, nextBreak(0), 1];
    while (stop < offset) [start, stop, line] = [stop + 1, nextBreak(stop + 1), line + 1];
    return line;
  };
}
