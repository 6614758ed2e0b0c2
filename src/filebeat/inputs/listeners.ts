/** From an input's `host` to its listener; and checks that the inputs with sockets share. */
import type { Listener, Protocol, UnresolvedWhy } from '../../model/model.js';
import { type Network, resolveHost } from '../net/address.js';
import { applies } from '../releases/releases.js';
import { type Complaint, parseSize } from '../tree/checks.js';
import { getAs, readAs, readText, toText } from '../tree/read.js';
import { type Failure, failure, type Read, type Tree, type Value } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import type { InputContext, TypeResult } from './input-context.js';

/** `listeners`: those that the refused input declares. */
export function refused(complaint: Failure, listeners: Listener[] = []): TypeResult {
  return { listeners, failure: { phase: 'check', fault: complaint.fault } };
}

export function fileMissing(tree: Tree, phase: 'check' | 'run', listeners: Listener[]): TypeResult {
  const at = (tree.names.get('ssl') ?? tree).at;
  return { listeners, failure: { phase, fault: { code: 'certificate-unusable', at, subject: 'ssl' } } };
}

/** A string setting, or its default. */
export function read(tree: Tree, key: string, scope: Scope, fallback: string): Read<string> {
  const text = getAs(tree, key, scope, toText);
  return text.ok ? { ok: true, value: text.value ?? fallback } : text;
}

/** Required: present and not empty. Passes if the value is unknown. */
export function nonEmpty(tree: Tree, key: string, scope: Scope): Complaint {
  if (readText(tree, key, scope) !== '') return undefined;
  return failure('missing-setting', (tree.names.get(key) ?? tree).at, key);
}

/** Not empty, if present. */
export function notBlank(tree: Tree, key: string, scope: Scope): Complaint {
  if (readAs(tree, key, scope, toText) !== '') return undefined;
  return failure('bad-value', (tree.names.get(key) ?? tree).at, key);
}

/** Where the address of a listener is configured, and what the input does with it. */
export interface ListenerSpec extends Pick<Listener, 'protocol' | 'input' | 'retry'> {
  /** The setting with `host:port`. */
  key: string;
  /** Its default. */
  fallback: string;
}

/** The listener that an input's host setting declares. */
export function listener(tree: Tree, { key, fallback, ...base }: ListenerSpec, context: InputContext): Listener {
  const { scope, release } = context;
  const { protocol, input, retry } = base;
  const stated: Value | undefined = tree.names.get(key);
  const isStated = stated !== undefined && stated.kind !== 'nil';
  const declaredIn = isStated ? stated.at : tree.at;
  const host = read(tree, key, scope, fallback);
  if (!host.ok) return { ...unresolved(tree, protocol, input, host.unresolved ?? 'variable'), declaredIn, retry };
  let network: Network = 'any';
  if (applies('network-option', release)) {
    const setting = readText(tree, 'network', scope);
    if (setting?.endsWith('4')) network = 'v4';
    if (setting?.endsWith('6')) network = 'v6';
  }
  const declared = resolved(host.value, network, { ...base, declaredIn }, context);
  const readsBuffer = protocol === 'udp' && applies('read-buffer', release);
  const bytes = parseSize((readsBuffer && readText(tree, 'read_buffer', scope)) || '');
  if (bytes) declared.readBuffer = bytes;
  if (!isStated) declared.notes = ['no address is configured, so the default applies'];
  return declared;
}

/** The listener for a host that is fully evaluated. */
export function resolved(
  host: string,
  network: Network,
  { protocol, input, declaredIn, retry }: Pick<Listener, 'protocol' | 'input' | 'declaredIn' | 'retry'>,
  context: InputContext,
): Listener {
  const { target, address, port } = resolveHost(host, protocol, network, context.names);
  return { protocol, address, ...(port === undefined ? {} : { port }), target, input, declaredIn, retry };
}

/** A listener whose address is unknown; `why` says why. */
export function unresolved(tree: Tree, protocol: Protocol, input: string, why: UnresolvedWhy): Listener {
  return { protocol, address: '', target: { kind: 'unresolved', why }, input, declaredIn: tree.at, retry: 'never' };
}
