/** `filebeat.config.inputs`: the inputs of included files. */
import type { Fault, Listener, Refusal } from '../../model/model.js';
import type { Loader } from '../files/load.js';
import type { InputContext, Phase } from '../inputs/input-context.js';
import { type InputResult, readInput, unresolvedListener } from '../inputs/inputs.js';
import { declaredTogether, refusal } from '../inputs/refusal.js';
import { applies } from '../releases/releases.js';
import { isEnabled } from '../tree/checks.js';
import { toPlain } from '../tree/read.js';
import { copyTree, standsAlone, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { entryIdentity } from './entry-identity.js';
import { type DynamicSection, loadSection } from './external.js';

/** The result of one section with included files. */
export interface External {
  /** Ends the process. */
  fatal?: Fault;
  /** See `filesetFallback` of a prediction. */
  fallback?: true;
  results: InputResult[];
  listeners: Listener[];
  faults: Refusal[];
}

/** Reports that Filebeat skips these entries because of a fault. */
type Skip = (fault: Fault, entries: readonly Tree[]) => void;

export function externalInputs(section: DynamicSection, context: InputContext, loader: Loader): External {
  const { scope, release } = context;
  const loaded = loadSection(section, 'inputs', context.paths.config, scope, loader);
  const external: External = { results: [], listeners: [], faults: [...loaded.faults] };
  if (loaded.fatal) return { ...external, fatal: loaded.fatal };
  const skip: Skip = (fault, entries) => {
    const declared = entries.length === 0 ? undefined : declaredBy(entries, context);
    external.faults.push(refusal(fault, reloadable(declared, section, context)));
  };
  for (const { fault, entries } of loaded.skipped) skip(fault, entries);
  const entries = loaded.files.flatMap((file) => file.entries);
  const checked = new Map<Tree, InputResult>();
  if (!section.reload) {
    const fatal = checkEntries(entries, checked, context);
    if (fatal) return { ...external, fatal };
  }
  const included = applies('included-enabled', release) ? entries.filter((entry) => isEnabled(entry, scope)) : entries;
  for (const entry of distinct(included, scope, external, skip)) {
    // A running entry is a tree of its own: its references no longer see the rest of its file.
    const result = checked.get(entry) ?? readInput(copyTree(entry), context);
    if (result.failure) skip(result.failure.fault, [entry]);
    else external.results.push(result);
    external.listeners.push(...reloadable(result.listeners, section, context));
  }
  return external;
}

/** The listeners that enabled entries declare, whether or not Filebeat accepts the entries. */
function declaredBy(entries: readonly Tree[], context: InputContext): Listener[] | undefined {
  return declaredTogether(
    entries.filter((entry) => isEnabled(entry, context.scope)).map((entry) => readInput(copyTree(entry), context)),
  );
}

/** Of entries with equal settings only the last one runs. Entries that cannot be evaluated are left out. */
export function distinct(entries: readonly Tree[], scope: Scope, external: External, skip: Skip): Tree[] {
  const running = new Map<string, Tree>();
  for (const entry of entries) {
    const plain = toPlain(entry, scope);
    if (plain.ok) running.set(entryIdentity(plain.value), entry);
    else if (plain.unresolved) {
      external.listeners.push(unresolvedListener(entry, plain));
      external.faults.push(plain.fault);
    } else skip(plain.fault, [entry]);
  }
  return [...running.values()];
}

/**
 * The check that Filebeat makes before it starts; it ignores disabled entries. Adds to `checked` the results that stay
 * the same when the entry runs, because it refers to nothing outside of it.
 */
function checkEntries(
  entries: readonly Tree[],
  checked: Map<Tree, InputResult>,
  context: InputContext,
): Fault | undefined {
  for (const entry of entries) {
    if (!isEnabled(entry, context.scope)) continue;
    const result = readInput(entry, context);
    if (standsAlone(entry)) checked.set(entry, result);
    const fatal = fatalFault(result, context);
    if (fatal) return fatal;
  }
  return undefined;
}

/** The fault if Filebeat finds it in that check. Up to 7.16 the check made the whole input, with its processors. */
export function fatalFault(
  { failure }: { failure?: { phase: Phase; fault: Fault } },
  { release }: InputContext,
): Fault | undefined {
  const found =
    failure?.phase === 'check' || (failure?.phase === 'create' && !applies('included-processors-tolerated', release));
  return found ? failure?.fault : undefined;
}

/** Adds to listeners of included files how Filebeat reloads them. */
export function reloadable<T extends readonly Listener[] | undefined>(
  listeners: T,
  section: DynamicSection,
  { release }: InputContext,
): T | Listener[] {
  if (!section.reload || listeners === undefined) return listeners;
  const losesPort = !applies('reload-keeps-port', release);
  return listeners.map((listener) => ({
    ...listener,
    reload: { periodSeconds: section.periodSeconds, ...(losesPort ? { losesPort: true as const } : {}) },
  }));
}
