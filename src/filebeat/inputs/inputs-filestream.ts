/**
 * The filestream input (filebeat/input/filestream/config.go, 7.14 to 9.5). It opens no socket, but ends the process if
 * refused.
 */
import { applies } from '../releases/releases.js';
import {
  type Complaint,
  duration,
  first,
  integer,
  oneOf,
  singleChoice,
  text,
  toDuration,
  truth,
} from '../tree/checks.js';
import { get, readAs, toBool, toInt } from '../tree/read.js';
import { checkSettings, type Setting, type Settings } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { InputContext } from './input-context.js';
import { cleaning, encoding, parsers, patterns } from './inputs-files.js';

const nonzero: Setting = (tree, key, scope) => duration(tree, key, scope, { nonzero: true });
const TERMINATORS =
  'auto line_feed vertical_tab form_feed carriage_return carriage_return_line_feed next_line line_separator paragraph_separator null_terminator';

const reads: Settings = {
  id: text,
  ignore_older: duration,
  clean_inactive: duration,
  clean_removed: truth,
  harvester_limit: (tree, key, scope) => integer(tree, key, scope, 0),
  ignore_inactive: (tree, key, scope) => oneOf(tree, key, scope, ['', 'since_first_start', 'since_last_start']),
  'close.reader.after_interval': duration,
  'close.reader.on_eof': truth,
  'close.on_state_change.check_interval': nonzero,
  'close.on_state_change.inactive': duration,
  'close.on_state_change.removed': truth,
  'close.on_state_change.renamed': truth,
  'backoff.init': nonzero,
  'backoff.max': nonzero,
  buffer_size: integer,
  message_max_bytes: (tree, key, scope) => integer(tree, key, scope, 1),
  line_terminator: (tree, key, scope) => oneOf(tree, key, scope, TERMINATORS.split(' ')),
  seek_to_tail: truth,
  exclude_lines: patterns,
  include_lines: patterns,
  'prospector.scanner.check_interval': duration,
  'prospector.scanner.resend_on_touch': truth,
  'prospector.scanner.symlinks': truth,
  'prospector.scanner.recursive_glob': truth,
  'prospector.scanner.exclude_files': patterns,
  'prospector.scanner.include_files': patterns,
};

export function filestreamSettings(tree: Tree, context: InputContext): Complaint {
  const { scope, release } = context;
  return first(
    () => checkSettings(tree, reads, scope),
    () => encoding(tree, scope),
    () => parsers(tree, scope),
    () => (applies('filestream-cleaning', release) ? checkCleaning(tree, context) : undefined),
    () => checkIdentity(tree, context),
  );
}

function checkCleaning(tree: Tree, { scope }: InputContext): Complaint {
  if (readAs(tree, 'legacy_clean_inactive', scope, toBool)) return undefined;
  const clean = readAs(tree, 'clean_inactive', scope, toDuration);
  return clean !== undefined && clean > 0 ? cleaning(tree, 'prospector.scanner.check_interval', scope) : undefined;
}

const IDENTITIES = ['native', 'path', 'inode_marker'];
/** In bytes. */
const LEAST_FINGERPRINT = 64;

/** `file_identity`: one method; `fingerprint` only if the scanner computes fingerprints. */
function checkIdentity(tree: Tree, { scope, release }: InputContext): Complaint {
  const isComputed =
    readAs(tree, 'prospector.scanner.fingerprint.enabled', scope, toBool) ??
    applies('filestream-fingerprint-default', release);
  const hasFingerprint = applies('filestream-fingerprint', release);
  if (hasFingerprint && isComputed) {
    const key = 'prospector.scanner.fingerprint.length';
    const length = readAs(tree, key, scope, toInt);
    if (length !== undefined && length < LEAST_FINGERPRINT) return failure('bad-value', tree.at, key);
  }
  const stated = get(tree, 'file_identity', scope);
  if (!stated.ok || !stated.value) return undefined;
  const chosen = singleChoice(tree, 'file_identity', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  const name = chosen.value?.name;
  if (name === undefined) return undefined;
  if (name === 'fingerprint' && hasFingerprint)
    return isComputed
      ? undefined
      : failure('missing-setting', stated.value.at, 'prospector.scanner.fingerprint.enabled');
  return IDENTITIES.includes(name) ? undefined : failure('bad-value', stated.value.at, 'file_identity');
}
