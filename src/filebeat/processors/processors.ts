/**
 * Lists of processors, at the top level of the main file and in inputs: whether Filebeat can create them. It creates
 * them in order and ends at the first fault (libbeat/processors/processor.go, conditionals.go).
 */
import type { Gap, Prediction } from '../../model/model.js';
import type { FileView } from '../files/file-view.js';
import { knownProcessor } from '../releases/registry.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { type Complaint, first } from '../tree/checks.js';
import { get, toList, toPlain, toTree } from '../tree/read.js';
import { checkSettings, under } from '../tree/setting-tables.js';
import { failure, type Tree, type Value } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { checkCondition } from './conditions.js';
import { type ProcessorRow, processorTable } from './processor-table.js';
import { checkScript } from './script-checks.js';

export interface ProcessorContext {
  release: ReleaseVersion;
  scope: Scope;
  files: FileView;
  /** Relative paths of scripts start at `config`; scripts of Filebeat's own modules lie in `home`. */
  paths: Prediction['paths'];
  /** Set while Filebeat also checks owners and modes of scripts: the uid that may own them, beside root. */
  strictUid?: number;
  /** Receives what the files leave open; absent if a running process settles it. */
  unclear?: (gap: Gap) => void;
}

/** Faults by when Filebeat finds them: when it creates the processors, or when the first events arrive. */
export interface ProcessorFaults {
  made: Complaint;
  /** Only for script files, in releases that read them late (`script-files-read-late`). */
  used: Complaint;
}

/** Deeper nesting of `if` is refused here. */
const MAX_DEPTH = 20;

/** Filebeat's complaints about `processors` of an input or of the main file. */
export function checkProcessors(tree: Tree, context: ProcessorContext): ProcessorFaults {
  const faults: ProcessorFaults = { made: undefined, used: undefined };
  const found = get(tree, 'processors', context.scope);
  if (!found.ok) faults.made = found.unresolved ? undefined : found;
  else if (found.value) faults.made = checkList(found.value, context, faults, 0);
  return faults;
}

function checkList(value: Value, context: ProcessorContext, faults: ProcessorFaults, depth: number): Complaint {
  const list = toList(value, context.scope);
  if (!list.ok) return list.unresolved ? undefined : list;
  if (depth > MAX_DEPTH) return failure('bad-value', value.at, 'processors');
  // Filebeat checks that all items are sections before it creates the first processor.
  for (const item of list.value) {
    const entry = toTree(item, context.scope);
    if (!entry.ok && !entry.unresolved) return failure(entry.fault.code, item.at, entry.fault.subject ?? 'processors');
  }
  for (const item of list.value) {
    const entry = toTree(item, context.scope);
    const complaint = entry.ok ? checkEntry(entry.value, context, faults, depth) : undefined;
    if (complaint) return complaint;
  }
  return undefined;
}

function checkEntry(entry: Tree, context: ProcessorContext, faults: ProcessorFaults, depth: number): Complaint {
  if (entry.names.has('if')) return checkBranches(entry, context, faults, depth);
  const [name] = entry.names.keys();
  if (name === undefined || entry.names.size !== 1) return failure('bad-processor', entry.at);
  const value = entry.names.get(name)!;
  const settings = toTree(value, context.scope);
  if (!settings.ok) {
    if (settings.unresolved) return undefined;
    return failure(settings.fault.code, value.at, settings.fault.subject ?? name);
  }
  if (!knownProcessor(name, context.release)) return failure('unknown-processor', value.at, name);
  // An empty section has no position of its own.
  return checkProcessor(name, { ...settings.value, at: value.at }, context, faults);
}

/** `if`, `then`, `else`; the latter two contain one processor or a list. */
function checkBranches(entry: Tree, context: ProcessorContext, faults: ProcessorFaults, depth: number): Complaint {
  const { scope } = context;
  const condition = entry.names.get('if')!;
  if (condition.kind === 'nil') return failure('bad-condition', condition.at, 'if');
  const complaint = checkCondition(condition, scope);
  if (complaint) return complaint;
  const then = entry.names.get('then');
  if (!then || then.kind === 'nil') return failure('missing-setting', (then ?? entry).at, 'then');
  for (const name of ['then', 'else']) {
    const branch = entry.names.get(name);
    if (!branch || branch.kind === 'nil') continue;
    const tree = toTree(branch, scope);
    if (!tree.ok) {
      if (tree.unresolved) continue;
      return failure(tree.fault.code, branch.at, tree.fault.subject ?? name);
    }
    const inner =
      tree.value.items === undefined
        ? checkEntry({ ...tree.value, at: branch.at }, context, faults, depth + 1)
        : checkList(branch, context, faults, depth + 1);
    if (inner) return inner;
  }
  return undefined;
}

function checkProcessor(name: string, tree: Tree, context: ProcessorContext, faults: ProcessorFaults): Complaint {
  const { scope, release } = context;
  const row = processorTable[name];
  const complaint = first(
    // Filebeat hashes all settings of a processor, so it must be able to evaluate all of them.
    () => (applies('processor-settings-hashed', release) ? readable(tree, scope) : undefined),
    () => row && checkNames(name, row, tree),
    () => row && under(name, checkSettings(tree, readOf(row, release), scope)),
    () => row && under(name, row.check?.(tree, scope)),
    () => row && under(name, checkUntil(row, tree, context)),
  );
  if (complaint) return complaint;
  if (name === 'script') {
    const script = checkScript(tree, context);
    if (script?.late) faults.used ??= script.complaint;
    else if (script) return script.complaint;
  }
  const when = tree.names.get('when');
  return when && checkCondition(when, scope);
}

function checkUntil({ until }: ProcessorRow, tree: Tree, { scope, release }: ProcessorContext): Complaint {
  if (!until || applies(until[0], release)) return undefined;
  return checkSettings(tree, until[1], scope) ?? until[2](tree, scope);
}

/** Named settings only; Filebeat does not read list items here. */
function readable(tree: Tree, scope: Scope): Complaint {
  const plain = toPlain({ ...tree, items: undefined }, scope);
  return plain.ok || plain.unresolved ? undefined : plain;
}

function checkNames(name: string, row: ProcessorRow, tree: Tree): Complaint {
  const words = (list: string | undefined): string[] => list?.split(' ') ?? [];
  const missing = words(row.needs).find((key) => !tree.names.has(key));
  if (missing) return failure('missing-setting', tree.at, `${name}.${missing}`);
  const allowed = row.only === undefined ? undefined : words(row.only);
  const extra = allowed && [...tree.names].find(([key]) => !allowed.includes(key));
  if (extra) return failure('setting-not-allowed', extra[1].at, `${name}.${extra[0]}`);
  if (row.oneOf === undefined) return undefined;
  const chosen = words(row.oneOf).filter((key) => tree.names.has(key));
  if (chosen.length === 1) return undefined;
  return chosen.length > 1
    ? failure('more-than-one-choice', tree.at, name)
    : failure(
        'missing-setting',
        tree.at,
        words(row.oneOf)
          .map((key) => `${name}.${key}`)
          .join(' or '),
      );
}

function readOf(row: ProcessorRow, release: ReleaseVersion): ProcessorRow['reads'] {
  let reads = row.reads;
  for (const [rule, later] of row.since ?? []) if (applies(rule, release)) reads = { ...reads, ...later };
  return reads;
}
