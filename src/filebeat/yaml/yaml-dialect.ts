/**
 * Where Filebeat's YAML library (gopkg.in/yaml.v2, a port of libyaml, YAML 1.1) and js-yaml (YAML 1.2) part:
 * refuses what only js-yaml accepts, respells what only yaml.v2 accepts, and cuts the text after the first document.
 * It walks tokens by libyaml's scanner rules; values and structure are js-yaml's business.
 */
import { Cursor } from './yaml-cursor.js';
import { skipAnchor, skipBlockScalar, skipPlainScalar, skipQuotedScalar, skipTag } from './yaml-tokens.js';

/** A token that becomes a mapping key if a `:` follows on its line within 1,024 characters. */
interface SimpleKey {
  possible: boolean;
  /** It stands at the indentation of a block mapping: without its `:` the text is wrong. */
  required: boolean;
  position: number;
  line: number;
  column: number;
}

interface Flow {
  /** A `?` waits for its `:`. */
  explicitKey: boolean;
  /** Right after the bracket or a comma. */
  fresh: boolean;
  key: SimpleKey;
}

const noKey: SimpleKey = { possible: false, required: false, position: 0, line: 0, column: 0 };
const maximalKeyLength = 1024;
const directive = /^%(?:YAML[ \t]+1\.1|TAG[ \t].*)[ \t]*(?:#.*)?$/;

/** At `...`: behind it stand nothing but comments, or the start of another document. */
function atLastDocument(cursor: Cursor): boolean {
  while (cursor.atDocumentMark() && cursor.at() === '.') {
    cursor.position += 3;
    for (;;) {
      while (cursor.isBlank()) cursor.position++;
      if (cursor.at() === '#') cursor.skipLineRest();
      if (!cursor.isBreak()) break;
      cursor.nextLine();
    }
  }
  return cursor.at() === '' || cursor.atDocumentMark() || (cursor.at() === '%' && cursor.column === 0);
}

/**
 * Text (line breaks `\n`) → the first document in a spelling that js-yaml reads as yaml.v2 does, on the same lines.
 * `flowColonFatal`: as the library of Filebeat 6.8 did, to which a colon inside a plain scalar within brackets is an
 * error, and so is anything behind the first document that does not begin another one. Throws YamlRefusal.
 */
export function translateDialect(text: string, flowColonFatal: boolean): string {
  const cursor = new Cursor(text);
  let indent = -1;
  const indents: number[] = [];
  let keyAllowed = true;
  let blockKey = noKey;
  const flows: Flow[] = [];
  /** Column that js-yaml wants continuation lines of the outermost brackets to reach. */
  let flowColumn = 0;
  let started = false;
  /** Behind `-`, `:` or `?`, with nothing but an anchor or a tag since. */
  let valueAwaited = false;
  /** The root node is complete: whatever follows is another document to yaml.v2, which it never looks at. */
  let rootDone = false;
  let end: number | undefined;
  /** The token behind the root; yaml.v2 reads on while it could still turn out to be a key. */
  let lookahead: SimpleKey | undefined;

  /** For what the scanner takes and only the parser refuses: yaml.v2 never parses what follows the root. */
  const refuseStructure = () => {
    if (end === undefined) cursor.refuse();
  };
  const isValid = (key: SimpleKey) =>
    key.possible && key.line === cursor.line && key.position + maximalKeyLength >= cursor.position;
  const setKey = (key: SimpleKey) => {
    const flow = flows.at(-1);
    if (flow) flow.key = key;
    else blockKey = key;
  };
  const dropKey = () => {
    const key = flows.at(-1)?.key ?? blockKey;
    if (key.possible && key.required) cursor.refuse();
    setKey(noKey);
  };
  const saveKey = () => {
    if (!keyAllowed) return;
    dropKey();
    const { position, line, column } = cursor;
    setKey({ possible: true, required: flows.length === 0 && indent === column, position, line, column });
  };
  const roll = (to: number) => {
    if (flows.length > 0 || indent >= to) return;
    indents.push(indent);
    indent = to;
  };
  const unroll = (to: number) => {
    if (flows.length > 0 || indent <= to) return;
    while (indent > to) indent = indents.pop() ?? -1;
    rootDone ||= indent === -1;
  };

  const skipToToken = () => {
    for (;;) {
      if (cursor.column === 0 && cursor.at() === '\uFEFF') {
        cursor.edit(cursor.position, 1, '');
        cursor.position++;
      }
      while (cursor.at() === ' ' || (cursor.at() === '\t' && (flows.length > 0 || !keyAllowed))) {
        if (cursor.at() === '\t') cursor.edit(cursor.position, 1, ' ');
        cursor.position++;
      }
      if (cursor.at() === '#') cursor.skipComment();
      if (!cursor.isBreak()) break;
      cursor.nextLine();
      if (flows.length === 0) keyAllowed = true;
    }
    if (flows.length > 0 && cursor.at() !== '') cursor.pad(flowColumn);
  };

  /** Marks the end of the document where a token follows the complete root. */
  const watchRoot = (c: string) => {
    if (end !== undefined || !rootDone) return;
    const belongsToRoot = c === ':' && cursor.isGap(1) && isValid(blockKey);
    if (indent !== -1 || flows.length > 0 || belongsToRoot) rootDone = false;
    else {
      if (flowColonFatal && !cursor.atDocumentMark()) cursor.refuse();
      end = cursor.position;
      if (isValid(blockKey)) lookahead = blockKey;
    }
  };

  const value = (flow: Flow | undefined) => {
    const key = flow?.key ?? blockKey;
    const valid = isValid(key);
    if (!valid && key.possible && key.required) cursor.refuse();
    if (valid) {
      if (end !== undefined && key.position < end) cursor.refuse();
      roll(key.column);
      setKey(noKey);
      keyAllowed = false;
      if (flow && !cursor.isGap(1)) cursor.edit(cursor.position + 1, 0, ' ');
    } else if (flow) {
      if (!flow.explicitKey) refuseStructure();
      keyAllowed = false;
    } else {
      if (!keyAllowed) cursor.refuse();
      roll(cursor.column);
      keyAllowed = true;
    }
    if (flow) Object.assign(flow, { explicitKey: false, fresh: false });
    valueAwaited = !flow;
    cursor.position++;
  };

  /** `-` and `?`. */
  const blockIndicator = (c: string, flow: Flow | undefined) => {
    if (flow && (c === '-' || !flow.fresh)) refuseStructure();
    if (!flow && !keyAllowed) cursor.refuse();
    roll(cursor.column);
    dropKey();
    if (flow) Object.assign(flow, { explicitKey: true, fresh: false });
    keyAllowed = c === '-' || !flow;
    valueAwaited = !flow;
    cursor.position++;
    if (!cursor.isGap()) cursor.edit(cursor.position, 0, ' ');
  };

  const flowIndicator = (c: string, flow: Flow | undefined) => {
    if (c === '[' || c === '{') {
      saveKey();
      if (flow) flow.fresh = false;
      else flowColumn = cursor.column;
      flows.push({ explicitKey: false, fresh: true, key: noKey });
    } else {
      dropKey();
      if (c !== ',') flows.pop();
      else if (flow) Object.assign(flow, { explicitKey: false, fresh: true });
    }
    keyAllowed = c !== ']' && c !== '}';
    rootDone ||= !keyAllowed && indent === -1;
    cursor.position++;
  };

  const content = (c: string, flow: Flow | undefined) => {
    if (flow) flow.fresh = false;
    if ((c === '|' || c === '>') && !flow) {
      dropKey();
      if (valueAwaited) cursor.pad(indent + 1);
      keyAllowed = true;
      skipBlockScalar(cursor, indent);
    } else {
      if (c === '\t' || '#|>%@`'.includes(c)) cursor.refuse();
      const { column } = cursor;
      saveKey();
      keyAllowed = false;
      if (c === '*' || c === '&') skipAnchor(cursor);
      else if (c === '!') skipTag(cursor);
      else if (c === "'" || c === '"') skipQuotedScalar(cursor, flow ? Math.max(flowColumn, column) : column);
      else keyAllowed = skipPlainScalar(cursor, { indent, flowColumn: flow && flowColumn, flowColonFatal });
    }
    const property = c === '&' || c === '!';
    rootDone ||= indent === -1 && !flow && !property;
    if (!property) valueAwaited = false;
  };

  for (;;) {
    skipToToken();
    unroll(cursor.column);
    const c = cursor.at();
    if (c === '') break;
    watchRoot(c);
    const flow = flows.at(-1);
    if (cursor.column === 0 && c === '%') {
      dropKey();
      const { position } = cursor;
      cursor.skipLineRest();
      if (started || !directive.test(text.slice(position, cursor.position))) cursor.refuse();
      keyAllowed = false;
      continue;
    }
    if (cursor.atDocumentMark()) {
      unroll(-1);
      dropKey();
      if (flow || (c === '.' && !started)) refuseStructure();
      if (started) {
        end ??= cursor.position;
        if (flowColonFatal && c === '.' && !atLastDocument(cursor)) cursor.refuse();
        break;
      }
      keyAllowed = false;
      cursor.position += 3;
    } else if (',[]{}'.includes(c)) flowIndicator(c, flow);
    else if ((c === '-' && cursor.isGap(1)) || (c === '?' && (flow || cursor.isGap(1)))) blockIndicator(c, flow);
    else if (c === ':' && (flow || cursor.isGap(1))) value(flow);
    else content(c, flow);
    started = true;
    if (end !== undefined) {
      lookahead ??= blockKey;
      if (lookahead !== blockKey || !isValid(blockKey)) break;
    }
  }
  if (end === undefined) dropKey();
  return cursor.spelled(end);
}
