/**
 * Differences between Filebeat's YAML library (gopkg.in/yaml.v2, a port of libyaml, YAML 1.1) and js-yaml (YAML 1.2):
 * refuses what only js-yaml accepts, respells what only yaml.v2 accepts, and cuts the text after the first document.
 * It walks over tokens by the rules of libyaml's scanner; js-yaml then reads values and structure.
 */
import { Scanner } from './yaml-scanner.js';
import { skipAnchor, skipBlockScalar, skipPlainScalar, skipQuotedScalar, skipTag } from './yaml-tokens.js';

const directive = /^%(?:YAML[ \t]+1\.1|TAG[ \t].*)[ \t]*(?:#.*)?$/;

/**
 * Text (line breaks `\n`) → the first document in a spelling that js-yaml reads as yaml.v2 does, on the same lines.
 * `flowColonFatal`: as the library of Filebeat 6.8, for which these are errors: a colon inside a plain scalar within
 * brackets, and anything after the first document that does not begin another one. Throws YamlRefusal.
 */
export function translateDialect(text: string, flowColonFatal: boolean): string {
  const scanner = new Scanner(text);
  do {
    skipToToken(scanner);
    scanner.closeBlocks(scanner.column);
    const c = scanner.at();
    if (c === '') break;
    scanner.watchEnd(flowColonFatal);
    if (scanner.column === 0 && c === '%') {
      skipDirective(scanner);
      continue;
    }
    if (scanner.atDocumentMark()) {
      skipDocumentMark(scanner);
      if (scanner.end !== undefined) {
        if (flowColonFatal && c === '.' && !isLastDocument(scanner)) scanner.refuse();
        break;
      }
    } else if (',[]{}'.includes(c)) skipFlowIndicator(scanner);
    else if ((c === '-' && scanner.isGap(1)) || (c === '?' && (scanner.flow || scanner.isGap(1))))
      skipBlockIndicator(scanner);
    else if (c === ':' && (scanner.flow || scanner.isGap(1))) skipValueIndicator(scanner);
    else skipContent(scanner, flowColonFatal);
    scanner.started = true;
  } while (scanner.scansOn());
  if (scanner.end === undefined) scanner.dropKey();
  return scanner.spelled(scanner.end);
}

/** Skips blanks, comments and line breaks. */
function skipToToken(scanner: Scanner): void {
  for (;;) {
    if (scanner.column === 0 && scanner.at() === '\uFEFF') {
      scanner.edit(scanner.position, 1, '');
      scanner.position++;
    }
    scanner.skipSpaces();
    while (scanner.at() === '\t' && (scanner.flow || !scanner.keyAllowed)) {
      scanner.edit(scanner.position, 1, ' ');
      scanner.position++;
      scanner.skipSpaces();
    }
    if (scanner.at() === '#') scanner.skipComment();
    if (!scanner.isBreak()) break;
    scanner.nextLine();
    if (!scanner.flow) scanner.keyAllowed = true;
  }
  if (scanner.flow && scanner.at() !== '') scanner.pad(scanner.flowColumn);
}

/** `%YAML` or `%TAG`, only before the first document. */
function skipDirective(scanner: Scanner): void {
  scanner.dropKey();
  const { position } = scanner;
  scanner.skipLineRest();
  if (scanner.started || !directive.test(scanner.text.slice(position, scanner.position))) scanner.refuse();
  scanner.keyAllowed = false;
}

/** `---` or `...`. Sets the end of the document, unless it is the `---` before it. */
function skipDocumentMark(scanner: Scanner): void {
  scanner.closeBlocks(-1);
  scanner.dropKey();
  if (scanner.flow || (scanner.at() === '.' && !scanner.started)) scanner.refuseStructure();
  if (scanner.started) {
    scanner.end ??= scanner.position;
    return;
  }
  scanner.keyAllowed = false;
  scanner.position += 3;
}

/** At `...`: only comments or the start of another document follow. */
function isLastDocument(scanner: Scanner): boolean {
  while (scanner.atDocumentMark() && scanner.at() === '.') {
    scanner.position += 3;
    for (;;) {
      while (scanner.isBlank()) scanner.position++;
      if (scanner.at() === '#') scanner.skipLineRest();
      if (!scanner.isBreak()) break;
      scanner.nextLine();
    }
  }
  return scanner.at() === '' || scanner.atDocumentMark() || (scanner.at() === '%' && scanner.column === 0);
}

/** A bracket or a comma. */
function skipFlowIndicator(scanner: Scanner): void {
  const c = scanner.at();
  if (c === '[' || c === '{') {
    scanner.saveKey();
    scanner.openFlow();
  } else {
    scanner.dropKey();
    if (c !== ',') scanner.closeFlow();
    else if (scanner.flow) Object.assign(scanner.flow, { explicitKey: false, fresh: true });
  }
  scanner.keyAllowed = c !== ']' && c !== '}';
  scanner.rootDone ||= !scanner.keyAllowed && scanner.indent === -1;
  scanner.position++;
}

/** `-` or `?`. */
function skipBlockIndicator(scanner: Scanner): void {
  const c = scanner.at();
  const { flow } = scanner;
  if (flow && (c === '-' || !flow.fresh)) scanner.refuseStructure();
  if (!flow && !scanner.keyAllowed) scanner.refuse();
  scanner.openBlock(scanner.column);
  scanner.dropKey();
  if (flow) Object.assign(flow, { explicitKey: true, fresh: false });
  scanner.keyAllowed = c === '-' || !flow;
  scanner.valueAwaited = !flow;
  scanner.position++;
  if (!scanner.isGap()) scanner.edit(scanner.position, 0, ' ');
}

/** `:`. */
function skipValueIndicator(scanner: Scanner): void {
  const { flow } = scanner;
  if (scanner.takeKey()) {
    scanner.keyAllowed = false;
    if (flow && !scanner.isGap(1)) scanner.edit(scanner.position + 1, 0, ' ');
  } else if (flow) {
    if (!flow.explicitKey) scanner.refuseStructure();
    scanner.keyAllowed = false;
  } else {
    if (!scanner.keyAllowed) scanner.refuse();
    scanner.openBlock(scanner.column);
    scanner.keyAllowed = true;
  }
  if (flow) Object.assign(flow, { explicitKey: false, fresh: false });
  scanner.valueAwaited = !flow;
  scanner.position++;
}

/** A scalar, an alias, or the anchor or tag of a value. */
function skipContent(scanner: Scanner, flowColonFatal: boolean): void {
  const c = scanner.at();
  const { flow, indent, column, flowColumn } = scanner;
  if (flow) flow.fresh = false;
  if ((c === '|' || c === '>') && !flow) {
    scanner.dropKey();
    if (scanner.valueAwaited) scanner.pad(indent + 1);
    scanner.keyAllowed = true;
    skipBlockScalar(scanner, indent);
  } else {
    if (c === '\t' || '#|>%@`'.includes(c)) scanner.refuse();
    scanner.saveKey();
    scanner.keyAllowed = false;
    if (c === '*' || c === '&') skipAnchor(scanner);
    else if (c === '!') skipTag(scanner);
    else if (c === "'" || c === '"') skipQuotedScalar(scanner, flow ? Math.max(flowColumn, column) : column);
    else scanner.keyAllowed = skipPlainScalar(scanner, { indent, flowColumn: flow && flowColumn, flowColonFatal });
  }
  const isProperty = c === '&' || c === '!';
  scanner.rootDone ||= indent === -1 && !flow && !isProperty;
  if (!isProperty) scanner.valueAwaited = false;
}
