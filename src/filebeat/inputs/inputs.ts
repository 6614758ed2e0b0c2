/** One input's settings → its listeners, or the fault for which Filebeat refuses it. */
import type { Fault, Listener, Position } from '../../model/model.js';
import { checkProcessors } from '../processors/processors.js';
import { knownInput } from '../releases/registry.js';
import { applies, newestRelease, type ReleaseVersion } from '../releases/releases.js';
import { type Complaint, duration, first, text } from '../tree/checks.js';
import { originNotes } from '../tree/notes.js';
import { get, readText, toText } from '../tree/read.js';
import { type Failure, failure, type Read, type Tree } from '../tree/tree.js';
import type { InputContext, Phase } from './input-context.js';
import { networkInput } from './inputs-network.js';
import { otherInput } from './inputs-other.js';
import { checkPipelineSettings } from './pipeline-settings.js';

/** The result of reading one input. */
export interface InputResult {
  /** Defaults applied; undefined if unknown. */
  type: string | undefined;
  listeners: Listener[];
  /** The listeners that a refused input declares. Absent if its type is unknown. */
  declared?: Listener[];
  failure?: { phase: Phase; fault: Fault };
  /** An input of Filebeat's API v2 (filebeat/input/v2): rules about equal ids apply. */
  isV2: boolean;
  id?: string;
  /** `url` of an http_endpoint: endpoints with different URLs may share a socket. */
  url?: string;
}

/** Inputs of API v1 in every release. Inputs of API v2 create their processors only when they run. */
const V1_INPUTS = new Set(['log', 'container', 'docker', 'stdin', 'syslog', 'redis', 'mqtt']);

export function isV2Input(type: string, release: ReleaseVersion): boolean {
  if (type === 'udp' || type === 'tcp') return applies('udp-ends-alone', release);
  if (type === 'netflow') return applies('netflow-ends-alone', release);
  return !V1_INPUTS.has(type);
}

/** Reads one enabled entry. `label` and `declaredIn` override the listeners' input and position. */
export function readInput(tree: Tree, context: InputContext, label?: string, declaredIn?: Position): InputResult {
  const { release, scope } = context;
  const typed = inputType(tree, context);
  if (!typed.ok) {
    if (typed.unresolved)
      return { ...nothing(undefined), listeners: [unresolvedListener(tree, typed, label, declaredIn)] };
    return { ...nothing(undefined), failure: { phase: 'check', fault: typed.fault } };
  }
  const type = typed.value;
  const result: InputResult = { ...nothing(type), isV2: isV2Input(type, release) };
  if (!knownInput(type, release)) {
    const fault = { code: 'unknown-input', at: positionOfType(tree) };
    // Read it as a release that knows the type would.
    const elsewhere =
      networkInput(type, tree, context)?.listeners ?? (knownInput(type, newestRelease) ? [] : undefined);
    const declared = elsewhere?.map((listener) => ({ ...listener, input: label ?? listener.input }));
    return { ...result, ...(declared === undefined ? {} : { declared }), failure: { phase: 'check', fault } };
  }
  const id = readText(tree, 'id', scope);
  if (id) result.id = id;
  const typeResult = networkInput(type, tree, context) ?? otherInput(type, tree, context);
  if (typeResult.url !== undefined) result.url = typeResult.url;
  const origins = typeResult.listeners.length > 0 ? originNotes(tree, scope) : [];
  const declared = typeResult.listeners.map((listener) => ({
    ...listener,
    input: label ?? listener.input,
    declaredIn: declaredIn ?? listener.declaredIn,
    ...(origins.length > 0 ? { notes: [...(listener.notes ?? []), ...origins] } : {}),
  }));
  const common = commonFault(tree, context, result.isV2);
  if (common) return { ...result, declared, failure: { phase: 'check', fault: common.fault } };
  const { failure } = typeResult;
  const failed = failure?.phase === 'check' ? failure : (laterFault(tree, context, result) ?? failure);
  return failed ? { ...result, declared, failure: failed } : { ...result, listeners: declared };
}

function nothing(type: string | undefined): InputResult {
  return { type, listeners: [], isV2: false };
}

/** `type`, by default `log`. Inputs of API v1 prefer `input_type`. */
function inputType(tree: Tree, { scope, release }: InputContext): Read<string> {
  const [type, inputTypeKey] = ['type', 'input_type'].map((key): Read<string | undefined> => {
    const found = get(tree, key, scope);
    if (!found.ok) return found;
    if (!found.value) return { ok: true, value: undefined };
    const read = toText(found.value, scope);
    return read.ok || read.unresolved ? read : failure(read.fault.code, found.value.at, key);
  }) as [Read<string | undefined>, Read<string | undefined>];
  if (!type.ok) return type;
  const stated = type.value ?? 'log';
  if (knownInput(stated, release) && isV2Input(stated, release)) return { ok: true, value: stated };
  if (!inputTypeKey.ok) return inputTypeKey;
  const old = inputTypeKey.value;
  if (old === undefined || old === '') return { ok: true, value: stated };
  // `input_type` cannot name an input of API v2.
  if (isV2Input(old, release)) return failure('unknown-input', tree.at, 'input_type');
  return { ok: true, value: old };
}

function positionOfType(tree: Tree): Position {
  return (tree.names.get('type') ?? tree.names.get('input_type') ?? tree).at;
}

/** Settings that Filebeat reads of every input before those of its type. */
function commonFault(tree: Tree, { scope, release }: InputContext, isV2: boolean): Complaint {
  if (!isV2) {
    return first(() => duration(tree, 'scan_frequency', scope, { nonzero: true, positive: true }));
  }
  return applies('id-must-be-text', release) ? text(tree, 'id', scope) : undefined;
}

/** Faults that the check of included files does not find. */
function laterFault(tree: Tree, context: InputContext, result: InputResult): InputResult['failure'] {
  const { scope, release } = context;
  const settings = checkPipelineSettings(tree, scope);
  if (settings) return { phase: 'create', fault: settings.fault };
  const processors = checkProcessors(tree, context);
  const fault = (processors.made ?? processors.used)?.fault ?? context.processorFault;
  if (!fault) return undefined;
  if (result.type === 'netflow' && result.isV2 && !applies('netflow-survives-bad-processor', release))
    return { phase: 'check', fault };
  return { phase: result.isV2 ? 'run' : 'create', fault };
}

/** A listener of which only the existence is known. */
export function unresolvedListener(tree: Tree, why: Failure, label?: string, declaredIn?: Position): Listener {
  return {
    protocol: 'udp',
    address: '',
    target: { kind: 'unresolved', why: why.unresolved ?? 'variable' },
    input: label ?? 'unknown',
    declaredIn: declaredIn ?? tree.at,
    retry: 'never',
  };
}
