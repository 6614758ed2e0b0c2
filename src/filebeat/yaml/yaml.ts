/**
 * Bytes of a Filebeat configuration file → the tree that Filebeat's YAML library (gopkg.in/yaml.v2) makes of it, with
 * line numbers. js-yaml parses; `yaml-dialect` and `yaml-scalar` handle what the two libraries read differently.
 */
import type { Fault } from '../../model/model.js';
import { YamlRefusal } from './yaml-cursor.js';
import { translateDialect } from './yaml-dialect.js';
import { composeDocument } from './yaml-events.js';
import { resolveNode, type YamlNode } from './yaml-nodes.js';

export type { YamlNode } from './yaml-nodes.js';

export type YamlResult =
  /**
   * `root` is undefined for a file without a document (empty, comments only). `second`: a later document with content.
   */
  | { ok: true; root: YamlNode | undefined; second?: SecondDocument }
  /** `fault.at.file` is empty: the caller knows the path. Code `yaml-limit`: beyond our limits, not Filebeat's. */
  | { ok: false; fault: Fault };

/** `line`: where its content begins. `root` is absent if it cannot be parsed. */
export interface SecondDocument {
  line: number;
  root?: YamlNode;
}

const maximalBytes = 4 * 1024 * 1024;

export interface YamlOptions {
  /** See `translateDialect`. */
  flowColonFatal?: boolean;
  /** Keys may be of any scalar type; Filebeat accepts strings only. */
  anyKeys?: boolean;
}

/** Reads the first document. Never throws. */
export function parseYaml(bytes: Uint8Array, options: YamlOptions = {}): YamlResult {
  try {
    if (bytes.length > maximalBytes) throw new YamlRefusal('yaml-limit', 1);
    const whole = decodeText(bytes);
    const text = translateDialect(whole, options.flowColonFatal ?? false);
    const raw = composeDocument(text);
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

/** The next document with content other than comments. `first`: the text of the first document, on the same lines. */
function secondDocument(whole: string, first: string, options: YamlOptions): SecondDocument | undefined {
  if (!/\n(?:---|\.\.\.)/.test(whole)) return undefined;
  const lines = whole.split('\n');
  const end = first.trimEnd().split('\n').length;
  const begin = lines.findIndex((line, at) => at >= end && /^---(?:\s|$)/.test(line));
  if (begin < 0) return undefined;
  const isContent = (line: string) => /^(?:- |["'\w$].*:(?:\s|$))/.test(line);
  const at = lines.findIndex((line, index) => index > begin && isContent(line));
  if (at < 0) return undefined;
  const marker = lines.findLastIndex((line, index) => index <= at && /^---(?:\s|$)/.test(line));
  const next = lines.findIndex((line, index) => index > at && /^(?:---|\.\.\.)(?:\s|$)/.test(line));
  // Empty lines before it preserve its line numbers.
  const text = '\n'.repeat(marker) + lines.slice(marker, next < 0 ? undefined : next).join('\n');
  const parsed = parseYaml(Buffer.from(text), options);
  return { line: at + 1, ...(parsed.ok && parsed.root !== undefined ? { root: parsed.root } : {}) };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length;
}
