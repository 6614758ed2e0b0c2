/**
 * Inputs that read files: log, container, filestream. They open no socket, but a setting that Filebeat refuses ends the
 * process, and with it all of its listeners.
 */
import {
  type Complaint,
  duration,
  first,
  integer,
  oneOf,
  singleChoice,
  text,
  texts,
  toDuration,
  truth,
} from '../tree/checks.js';
import { validGoRegexp } from '../tree/go-regexp.js';
import { get, readAs, readText, toList, toTree } from '../tree/read.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';

const ENCODINGS = new Set(
  (
    'nop plain utf-8 utf8 gbk big5 gb18030 hz-gb-2312 euc-kr euc-jp iso-2022-jp shift-jis ' +
    'unicode-1-1-utf-8 utf-16 utf-16be utf-16le utf-16-bom utf-16be-bom utf-16le-bom iso8859-6e iso8859-6i iso8859-8e ' +
    'iso8859-8i cp437 cp850 cp852 cp855 cp858 cp860 cp862 cp863 cp865 cp866 ebcdic-037 ebcdic-1040 ebcdic-1047 koi8r ' +
    'koi8u macintosh macintosh-cyrillic windows874'
  ).split(' '),
);
const PARSERS = ['multiline', 'ndjson', 'container', 'syslog', 'include_message', 'auditd'];

const SWITCHES = [
  'clean_removed',
  'symlinks',
  'tail_files',
  'close_removed',
  'close_renamed',
  'close_eof',
  'recursive_glob.enabled',
];

/** Settings of `log`, which `container` and `docker` share. */
export function logSettings(tree: Tree, scope: Scope): Complaint {
  return first(
    () => truth(tree, 'enabled', scope),
    ...SWITCHES.map((key) => () => truth(tree, key, scope)),
    ...['ignore_older', 'clean_inactive', 'close_inactive'].map((key) => () => duration(tree, key, scope)),
    ...['backoff', 'max_backoff', 'scan_frequency'].map(
      (key) => () => duration(tree, key, scope, { nonzero: true, positive: true }),
    ),
    () => duration(tree, 'close_timeout', scope, { positive: true }),
    () => integer(tree, 'harvester_limit', scope, 0),
    () => integer(tree, 'harvester_buffer_size', scope),
    () => integer(tree, 'backoff_factor', scope, 1),
    () => integer(tree, 'max_bytes', scope, 1),
    () => cleaning(tree, 'scan_frequency', scope),
    ...['exclude_files', 'exclude_lines', 'include_lines'].map((key) => () => patterns(tree, key, scope)),
    () => encoding(tree, scope),
    () => oneOf(tree, 'scan.sort', scope, ['', 'modtime', 'filename']),
    () => scanOrder(tree, scope),
    () => section(tree, 'multiline', scope, (inner) => multiline(inner, scope)),
    () => section(tree, 'json', scope, (inner) => jsonSettings(inner, scope) ?? withJson(tree, scope)),
  );
}

/**
 * `clean_inactive` must be longer than `ignore_older` and one scan together: a file that is still read must not be
 * forgotten. `frequency`: the setting with the interval between scans, 10 s by default.
 */
export function cleaning(tree: Tree, frequency: string, scope: Scope): Complaint {
  const [clean, older, interval] = ['clean_inactive', 'ignore_older', frequency].map((key) =>
    readAs(tree, key, scope, toDuration),
  );
  if (clean === undefined || clean === 0) return undefined;
  const nanoseconds = (older ?? 0) + (interval ?? 10e9);
  return !older || clean <= nanoseconds ? failure('bad-value', tree.at, 'clean_inactive') : undefined;
}

export function encoding(tree: Tree, scope: Scope): Complaint {
  const name = readText(tree, 'encoding', scope)?.toLowerCase();
  if (!name) return undefined;
  const known = ENCODINGS.has(name) || /^(?:iso8859-(?:[1-9]|1[03456])|windows125[0-8])$/.test(name);
  return known ? undefined : failure('bad-value', tree.names.get('encoding')?.at ?? tree.at, 'encoding');
}

/** A list of Go regular expressions. */
export function patterns(tree: Tree, key: string, scope: Scope): Complaint {
  return texts(tree, key, scope, validGoRegexp);
}

function section(tree: Tree, key: string, scope: Scope, check: (inner: Tree) => Complaint): Complaint {
  const found = get(tree, key, scope);
  if (!found.ok || !found.value) return undefined;
  const inner = toTree(found.value, scope);
  if (inner.ok) return check(inner.value);
  return inner.unresolved ? undefined : failure('wrong-type', found.value.at, key);
}

function multiline(tree: Tree, scope: Scope): Complaint {
  const complaint = first(
    () => oneOf(tree, 'type', scope, ['', 'pattern', 'count', 'while_pattern']),
    () => truth(tree, 'negate', scope),
    () => integer(tree, 'max_lines', scope),
    () => duration(tree, 'timeout', scope, { positive: true }),
    () => patterns(tree, 'pattern', scope),
    () => patterns(tree, 'flush_pattern', scope),
  );
  if (complaint) return complaint;
  const type = readText(tree, 'type', scope);
  if (type === undefined) return undefined;
  const mode = type || 'pattern';
  const required = mode === 'count' ? ['count_lines'] : mode === 'pattern' ? ['match', 'pattern'] : ['pattern'];
  for (const key of required) {
    const value = get(tree, key, scope);
    if (value.ok && !value.value) return failure('missing-setting', tree.at, `multiline.${key}`);
  }
  return mode === 'pattern' ? oneOf(tree, 'match', scope, ['after', 'before']) : undefined;
}

/** Filebeat checks the order only if files are sorted. */
function scanOrder(tree: Tree, scope: Scope): Complaint {
  return readText(tree, 'scan.sort', scope) ? oneOf(tree, 'scan.order', scope, ['asc', 'desc']) : undefined;
}

function jsonSettings(json: Tree, scope: Scope): Complaint {
  const switches = ['keys_under_root', 'overwrite_keys', 'add_error_key', 'ignore_decoding_error'];
  return first(() => text(json, 'message_key', scope), ...switches.map((key) => () => truth(json, key, scope)));
}

/** Settings that need whole lines require the JSON key that holds the line. */
function withJson(tree: Tree, scope: Scope): Complaint {
  const key = get(tree, 'json.message_key', scope);
  if (!key.ok || key.value) return undefined;
  const other = ['multiline', 'include_lines', 'exclude_lines'].find((name) => {
    const found = get(tree, name, scope);
    return found.ok && found.value && !(found.value.kind === 'tree' && found.value.items?.length === 0);
  });
  return other ? failure('missing-setting', tree.at, 'json.message_key') : undefined;
}

export function parsers(tree: Tree, scope: Scope): Complaint {
  for (const item of readAs(tree, 'parsers', scope, toList) ?? []) {
    const entry = toTree(item, scope);
    if (!entry.ok) return entry.unresolved ? undefined : failure('wrong-type', item.at, 'parsers');
    const holder: Tree = { ...entry.value, names: new Map([['parser', entry.value]]) };
    const chosen = singleChoice(holder, 'parser', scope);
    if (!chosen.ok) return chosen.unresolved ? undefined : failure(chosen.fault.code, item.at, 'parsers');
    const parser = chosen.value;
    if (!parser || !PARSERS.includes(parser.name)) return failure('bad-value', item.at, 'parsers');
    const complaint = parser.name === 'multiline' ? multiline(parser.tree, scope) : undefined;
    if (complaint) return complaint;
  }
  return undefined;
}
