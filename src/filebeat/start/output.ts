/** The chosen output and whether Filebeat can create it; and the queue, which may be a section of the output. */
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { type Complaint, chooseOne, first, parseSize, singleChoice, toDuration } from '../tree/checks.js';
import { get, positionOf, readAs, readText, toInt, toTree } from '../tree/read.js';
import { checkSettings, under } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import { checkClientTls } from './client-tls.js';
import { badValue, checkParts } from './kinds.js';
import { checkCodec, outputChecks } from './output-checks.js';
import { addresses, outputs, pipelineOfOutput, queues, workers } from './outputs.js';
import { blocked, type StartContext } from './start-context.js';

/** The one enabled child of a section, with its settings. */
export interface Chosen {
  name: string;
  tree: Tree;
}

/** The enabled output; a complaint if there is none or more than one; undefined if unknown. */
export function chosenOutput(main: Tree, scope: Scope): Chosen | NonNullable<Complaint> | undefined {
  const found = get(main, 'output', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return failure('no-output', { file: main.at.file });
  const section = toTree(found.value, scope);
  if (!section.ok) return section.unresolved ? undefined : failure('wrong-type', found.value.at, 'output');
  const chosen = chooseOne(section.value, 'output', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  return chosen.value ?? failure('no-output', section.value.at);
}

/** Filebeat's complaint when it creates the output. `hasCloud`: the addresses come from `cloud.id`. */
export function checkOutput(main: Tree, chosen: Chosen, hasCloud: boolean, context: StartContext): Complaint {
  const { scope, release } = context;
  const { name, tree } = chosen;
  const key = `output.${name}`;
  const row = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (!row || (name === 'discard' && !applies('output-discard', release)))
    return failure('unknown-output', positionOf(main, key), key);
  return under(
    key,
    first(
      () => (row.connects && !hasCloud ? checkSettings(tree, addresses, scope) : undefined),
      () => (row.connects ? checkParts(tree, workers, scope, release) : undefined),
      () => checkParts(tree, row.parts, scope, release),
      () => (row.connects ? checkClientTls(tree, context) : undefined),
      () => (row.codec ? checkCodec(tree, context) : undefined),
      () => outputChecks[name]?.(tree, context),
    ),
  );
}

/** Settings of an output that Filebeat reads before it creates it: its queue, and those of the pipeline. */
export function checkOutputPipeline(main: Tree, { name, tree }: Chosen, context: StartContext): Complaint {
  const { scope } = context;
  const outputQueue = singleChoice(tree, 'queue', scope);
  const key = `output.${name}`;
  if (!outputQueue.ok) return outputQueue.unresolved ? undefined : under(key, outputQueue);
  const queue = singleChoice(main, 'queue', scope);
  if (outputQueue.value && queue.ok && queue.value)
    return failure('settings-exclude', positionOf(tree, 'queue'), `${key}.queue`);
  return under(key, checkSettings(tree, pipelineOfOutput, scope));
}

/** The queue of the whole configuration, or of an output. */
export function checkQueue(tree: Tree, context: StartContext): Complaint {
  const { scope, release } = context;
  const chosen = singleChoice(tree, 'queue', scope);
  if (!chosen.ok) return chosen.unresolved ? undefined : chosen;
  if (!chosen.value) return undefined;
  const { name, tree: queue } = chosen.value;
  const key = `queue.${name}`;
  const table = Object.hasOwn(queues, name) ? queues[name] : undefined;
  if (!table || (name === 'spool' && applies('queue-spool-removed', release)))
    return failure('removed-or-unknown', positionOf(tree, key), key);
  return under(
    key,
    first(
      () => checkSettings(queue, table, scope),
      () => (name === 'mem' ? checkMemory(queue, context) : undefined),
      () => (name === 'disk' ? checkDisk(queue, context) : undefined),
    ),
  );
}

/** Defaults of a memory queue: its size and the events that it waits for. */
function memoryDefaults(release: ReleaseVersion): { events: number; flush: number } {
  return applies('queue-defaults', release) ? { events: 3200, flush: 1600 } : { events: 4096, flush: 2048 };
}

function checkMemory(queue: Tree, { scope, release }: StartContext): Complaint {
  const defaults = memoryDefaults(release);
  const events = get(queue, 'events', scope);
  const flush = get(queue, 'flush.min_events', scope);
  if (!events.ok || !flush.ok) return undefined;
  const size = events.value ? readAs(queue, 'events', scope, toInt) : defaults.events;
  const batch = flush.value ? readAs(queue, 'flush.min_events', scope, toInt) : defaults.flush;
  if (size === undefined || batch === undefined || batch <= size) return undefined;
  return failure('settings-conflict', (events.value ?? flush.value ?? queue).at, 'flush.min_events');
}

function checkDisk(queue: Tree, context: StartContext): Complaint {
  const { scope, release, cwd, paths } = context;
  const bytes = (key: string) => parseSize(readText(queue, key, scope) ?? '');
  const [maximum, segment] = [bytes('max_size'), bytes('segment_size')];
  if (segment !== undefined && maximum && maximum < segment * 2)
    return badValue(queue, 'segment_size', scope, 'at most half of max_size');
  if (maximum && maximum < 10e6) return badValue(queue, 'max_size', scope, 'at least 10MB, or 0 for no limit');
  if (segment !== undefined && segment < 1e6) return badValue(queue, 'segment_size', scope, 'at least 1MB');
  const wait = readAs(queue, 'retry_interval', scope, toDuration);
  const longest = readAs(queue, 'max_retry_interval', scope, toDuration);
  if (wait !== undefined && longest !== undefined && longest < wait)
    return badValue(queue, 'max_retry_interval', scope, 'at least as long as retry_interval');
  const folder = readText(queue, 'path', scope);
  if (folder === undefined || applies('queue-falls-back', release)) return undefined;
  const path = folder === '' ? `${paths.data}/diskqueue` : folder.startsWith('/') ? folder : `${cwd}/${folder}`;
  return blocked(context, path) ? failure('folder-blocked', positionOf(queue, 'path'), 'path') : undefined;
}
