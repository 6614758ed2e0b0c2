/**
 * One input's settings → the sockets that it asks for, or what Filebeat holds against it. Which kinds there are and
 * when a fault is found decides what else it costs; see `InputResult`.
 */
import type { Fault, Listener, Position } from '../../model/model.js';
import { checkProcessors } from '../processors/processors.js';
import { knownInput } from '../releases/registry.js';
import { applies, newestRelease, type ReleaseVersion } from '../releases/releases.js';
import { type Complaint, duration, first, text } from '../tree/checks.js';
import { originNotes } from '../tree/notes.js';
import { get, toText } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { type Failure, failure, type Read } from '../tree/variables.js';
import type { InputContext, Phase } from './input-context.js';
import { networkInput } from './inputs-network.js';
import { otherInput } from './inputs-other.js';
import { checkPipelineSettings } from './pipeline-settings.js';

export interface InputResult {
  /** As Filebeat sees it, defaults applied; undefined when it could not be told. */
  type: string | undefined;
  listeners: Listener[];
  /** Of one that is refused: what it asks for all the same. Absent where nobody can tell: its type is not known. */
  declared?: Listener[];
  failure?: { phase: Phase; fault: Fault };
  /** Inputs of the newer kind take part in rules about equal ids. */
  newKind: boolean;
  id?: string;
  /** `url` of an http_endpoint: several share a socket when theirs differ. */
  url?: string;
}

/** Inputs of the older kind, up to the newest release: the rest make their processors only when they run. */
const OLD_KIND = new Set(['log', 'container', 'docker', 'stdin', 'syslog', 'redis', 'mqtt']);

export function isNewKind(type: string, release: ReleaseVersion): boolean {
  if (type === 'udp' || type === 'tcp') return applies('udp-ends-alone', release);
  if (type === 'netflow') return applies('netflow-ends-alone', release);
  return !OLD_KIND.has(type);
}

/** Reads one enabled entry. `declaredIn` overrides where its listeners say they are from. */
export function readInput(tree: Tree, context: InputContext, label?: string, declaredIn?: Position): InputResult {
  const { release, scope } = context;
  const typed = inputType(tree, context);
  if (!typed.ok) {
    if (typed.unresolved)
      return { ...nothing(undefined), listeners: [unresolvedListener(tree, typed, label, declaredIn)] };
    return { ...nothing(undefined), failure: { phase: 'check', fault: typed.fault } };
  }
  const type = typed.value;
  const result: InputResult = { ...nothing(type), newKind: isNewKind(type, release) };
  if (!knownInput(type, release)) {
    const fault = { code: 'unknown-input', at: positionOfType(tree) };
    const elsewhere =
      networkInput(type, tree, context)?.listeners ?? (knownInput(type, newestRelease) ? [] : undefined);
    const asked = elsewhere?.map((listener) => ({ ...listener, input: label ?? listener.input }));
    return { ...result, ...(asked === undefined ? {} : { declared: asked }), failure: { phase: 'check', fault } };
  }
  const id = get(tree, 'id', scope);
  const idText = id.ok && id.value ? toText(id.value, scope) : undefined;
  if (idText?.ok && idText.value !== '') result.id = idText.value;
  const own = networkInput(type, tree, context) ?? otherInput(type, tree, context);
  if (own.url !== undefined) result.url = own.url;
  const origins = own.listeners.length > 0 ? originNotes(tree, scope) : [];
  const asked = own.listeners.map((listener) => ({
    ...listener,
    input: label ?? listener.input,
    declaredIn: declaredIn ?? listener.declaredIn,
    ...(origins.length > 0 ? { notes: [...(listener.notes ?? []), ...origins] } : {}),
  }));
  const common = commonFault(tree, context, result.newKind);
  if (common) return { ...result, declared: asked, failure: { phase: 'check', fault: common.fault } };
  const failed = own.failure?.phase === 'check' ? own.failure : (laterFault(tree, context, result) ?? own.failure);
  return failed ? { ...result, declared: asked, failure: failed } : { ...result, listeners: asked };
}

function nothing(type: string | undefined): InputResult {
  return { type, listeners: [], newKind: false };
}

/** `type`, else `log`; `input_type` wins over it where the older kind of input reads it. */
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
  if (knownInput(stated, release) && isNewKind(stated, release)) return { ok: true, value: stated };
  if (!inputTypeKey.ok) return inputTypeKey;
  const old = inputTypeKey.value;
  if (old === undefined || old === '') return { ok: true, value: stated };
  // An input of the newer kind cannot be had by its old name.
  if (isNewKind(old, release)) return failure('unknown-input', tree.at, 'input_type');
  return { ok: true, value: old };
}

function positionOfType(tree: Tree): Position {
  return (tree.names.get('type') ?? tree.names.get('input_type') ?? tree).at;
}

/** What is read of every input before its own settings are. */
function commonFault(tree: Tree, { scope, release }: InputContext, newKind: boolean): Complaint {
  if (!newKind) {
    return first(() => duration(tree, 'scan_frequency', scope, { nonzero: true, positive: true }));
  }
  return applies('id-must-be-text', release) ? text(tree, 'id', scope) : undefined;
}

/** Faults that the check of an included file does not find. */
function laterFault(tree: Tree, context: InputContext, result: InputResult): InputResult['failure'] {
  const { scope, release } = context;
  const settings = checkPipelineSettings(tree, scope);
  if (settings) return { phase: 'create', fault: settings.fault };
  const processors = checkProcessors(tree, context);
  const fault = (processors.made ?? processors.used)?.fault ?? context.processorFault;
  if (!fault) return undefined;
  if (result.type === 'netflow' && result.newKind && !applies('netflow-survives-bad-processor', release))
    return { phase: 'check', fault };
  return { phase: result.newKind ? 'run' : 'create', fault };
}

/** A listener of which nothing but its existence can be told. */
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
