/** The filestream input (filebeat/input/filestream/config.go, 7.14 to 9.5). It opens no socket; refused, it ends the process. */
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
import { get, toBool, toInt } from '../tree/read.js';
import { checkSettings, type Setting, type Settings } from '../tree/setting-tables.js';
import type { Tree } from '../tree/tree.js';
import { failure } from '../tree/variables.js';
import type { InputContext } from './input-context.js';
import { encoding, parsers, patterns } from './inputs-files.js';

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

/** What is forgotten has to be older than what is still looked at. */
function checkCleaning(tree: Tree, { scope }: InputContext): Complaint {
  const legacy = get(tree, 'legacy_clean_inactive', scope);
  const isLegacy = legacy.ok && legacy.value ? toBool(legacy.value, scope) : undefined;
  if (isLegacy?.ok && isLegacy.value) return undefined;
  const [clean, older, every] = ['clean_inactive', 'ignore_older', 'prospector.scanner.check_interval'].map((key) => {
    const found = get(tree, key, scope);
    const read = found.ok && found.value ? toDuration(found.value, scope) : undefined;
    return read?.ok ? read.value : undefined;
  });
  if (clean === undefined || clean <= 0) return undefined;
  return !older || clean <= older + (every ?? 10e9) ? failure('bad-value', tree.at, 'clean_inactive') : undefined;
}

const IDENTITIES = ['native', 'path', 'inode_marker'];
/** Bytes: less tells files too badly apart. */
const LEAST_FINGERPRINT = 64;

/** How files are told apart: one way, and a fingerprint only where the scanner takes one. */
function checkIdentity(tree: Tree, { scope, release }: InputContext): Complaint {
  const taken = get(tree, 'prospector.scanner.fingerprint.enabled', scope);
  const switched = taken.ok && taken.value ? toBool(taken.value, scope) : undefined;
  const isTaken = switched?.ok ? switched.value : applies('filestream-fingerprint-default', release);
  const hasFingerprint = applies('filestream-fingerprint', release);
  if (hasFingerprint && isTaken) {
    const key = 'prospector.scanner.fingerprint.length';
    const found = get(tree, key, scope);
    const length = found.ok && found.value ? toInt(found.value, scope) : undefined;
    if (length?.ok && length.value < LEAST_FINGERPRINT) return failure('bad-value', tree.at, key);
  }
  const stated = get(tree, 'file_identity', scope);
  if (!stated.ok || !stated.value) return undefined;
  const chosen = singleChoice(tree, 'file_identity', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  const name = chosen.value?.name;
  if (name === undefined) return undefined;
  if (name === 'fingerprint' && hasFingerprint)
    return isTaken ? undefined : failure('missing-setting', stated.value.at, 'prospector.scanner.fingerprint.enabled');
  return IDENTITIES.includes(name) ? undefined : failure('bad-value', stated.value.at, 'file_identity');
}
