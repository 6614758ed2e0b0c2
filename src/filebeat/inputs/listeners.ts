/** From an input's `host` to the listener it asks for, and the small checks that the inputs with sockets share. */
import type { BindRetry, Listener, Protocol, UnresolvedWhy } from '../../model/model.js';
import { resolveHost } from '../net/address.js';
import { applies } from '../releases/releases.js';
import { type Complaint, parseSize } from '../tree/checks.js';
import { get, toText } from '../tree/read.js';
import type { Tree, Value } from '../tree/tree.js';
import { type Failure, failure, type Scope } from '../tree/variables.js';
import type { InputContext, TypeResult } from './input-context.js';

/** `listeners`: what the input asks for all the same. */
export function refused(complaint: Failure, listeners: Listener[] = []): TypeResult {
  return { listeners, failure: { phase: 'check', fault: complaint.fault } };
}

export function fileMissing(tree: Tree, phase: 'check' | 'run', listeners: Listener[]): TypeResult {
  const at = (tree.names.get('ssl') ?? tree).at;
  return { listeners, failure: { phase, fault: { code: 'certificate-unusable', at, subject: 'ssl' } } };
}

type ReadText = { ok: true; value: string } | Failure;

/** A text, or the default where nothing is set. */
export function read(tree: Tree, key: string, scope: Scope, fallback: string): ReadText {
  const found = get(tree, key, scope);
  if (!found.ok) return found;
  return found.value ? toText(found.value, scope) : { ok: true, value: fallback };
}

/** There, and not empty. What cannot be known passes. */
export function nonEmpty(tree: Tree, key: string, scope: Scope): Complaint {
  const value = read(tree, key, scope, '');
  if (!value.ok) return undefined;
  return value.value === '' ? failure('missing-setting', (tree.names.get(key) ?? tree).at, key) : undefined;
}

/** Not empty, if it is there at all. */
export function notBlank(tree: Tree, key: string, scope: Scope): Complaint {
  const value = read(tree, key, scope, 'default');
  return value.ok && value.value === '' ? failure('bad-value', (tree.names.get(key) ?? tree).at, key) : undefined;
}

export function listener(
  tree: Tree,
  key: string,
  fallback: string,
  protocol: Protocol,
  input: string,
  retry: BindRetry,
  context: InputContext,
): Listener {
  const { scope, release } = context;
  const stated: Value | undefined = tree.names.get(key);
  const at = stated && stated.kind !== 'nil' ? stated.at : tree.at;
  const host = read(tree, key, scope, fallback);
  if (!host.ok) return { ...unresolved(tree, protocol, input, host.unresolved ?? 'variable'), declaredIn: at, retry };
  let network: 'any' | 'v4' | 'v6' = 'any';
  if (applies('network-option', release)) {
    const word = read(tree, 'network', scope, '');
    if (word.ok && word.value.endsWith('4')) network = 'v4';
    if (word.ok && word.value.endsWith('6')) network = 'v6';
  }
  const made = resolved(host.value, protocol, network, input, retry, at, context);
  const buffer =
    protocol === 'udp' && applies('read-buffer', release) ? read(tree, 'read_buffer', scope, '') : undefined;
  const bytes = buffer?.ok ? parseSize(buffer.value) : undefined;
  if (bytes) made.readBuffer = bytes;
  if (!stated || stated.kind === 'nil') made.notes = ['no address is configured: the default applies'];
  return made;
}

export function resolved(
  host: string,
  protocol: Protocol,
  network: 'any' | 'v4' | 'v6',
  input: string,
  retry: BindRetry,
  declaredIn: Listener['declaredIn'],
  context: InputContext,
): Listener {
  const { target, address, port } = resolveHost(host, protocol, network, context.names);
  return { protocol, address, ...(port === undefined ? {} : { port }), target, input, declaredIn, retry };
}

export function unresolved(tree: Tree, protocol: Protocol, input: string, why: UnresolvedWhy): Listener {
  return { protocol, address: '', target: { kind: 'unresolved', why }, input, declaredIn: tree.at, retry: 'never' };
}
