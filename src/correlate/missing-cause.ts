/** Why a listener of a running Filebeat has no socket. Pure. */

import { collides } from '../filebeat/net/address.js';
import { applies, parseRelease } from '../filebeat/releases/releases.js';
import { isWildcardAddress } from '../model/endpoint.js';
import { editedSinceStart } from '../model/expected.js';
import { TICKS_PER_SECOND } from '../model/instance-rules.js';
import type { Cause, Holder, Instance, Listener, Owner, Socket } from '../model/model.js';
import type { VerdictContext } from './verdict-context.js';

/** The likely cause: the first that applies of those that rule out a bind, that closed the socket, that prevented its creation. */
export function missingCause(instance: Instance, listener: Listener, context: VerdictContext): Cause {
  const broken = instance.brokenReloads?.find((b) => b.file === listener.declaredIn.file);
  if (broken !== undefined) return { kind: 'reloaded-file-broken', fault: broken.fault };
  return (
    hangsAfterRefusal(instance, context) ??
    addressNotLocal(instance, listener, context) ??
    lacksPrivilege(instance, listener, context) ??
    edited(instance, listener, context) ??
    elsewhere(instance, listener, context) ?? { kind: 'bind-failed', retry: listener.retry }
  );
}

function lacksPrivilege(instance: Instance, { target }: Listener, context: VerdictContext): Cause | undefined {
  if (target.kind !== 'socket') return undefined;
  const first = context.namespaceOf(instance)?.unprivilegedPortStart;
  if (first !== undefined && target.port < first && instance.process?.canBindPrivileged === false)
    return { kind: 'privileged-port', firstUnprivileged: first };
  return undefined;
}

/** No interface of its network namespace has the address. */
export function addressNotLocal(instance: Instance, { target }: Listener, context: VerdictContext): Cause | undefined {
  if (target.kind !== 'socket') return undefined;
  const namespace = context.namespaceOf(instance);
  return isWildcardAddress(target.address) || !namespace?.addresses || isLocal(target.address, namespace.addresses)
    ? undefined
    : { kind: 'address-not-local', ...(namespace.host ? {} : { inside: true as const }) };
}

/** An edit after the start closed the socket, or is yet to be applied. */
function edited(
  { basis, prediction, process }: Instance,
  listener: Listener,
  { now }: VerdictContext,
): Cause | undefined {
  const { file } = listener.declaredIn;
  if (listener.reload === undefined) return basis === 'edited' ? { kind: 'edited-after-start', file } : undefined;
  const mtime = prediction.files.find((one) => one.path === file)?.mtime;
  if (mtime === undefined || process === undefined || mtime <= process.startTime) return undefined;
  if (listener.reload.losesPort) return { kind: 'reload-lost-port' };
  const { periodSeconds } = listener.reload;
  const sinceSeconds = now - mtime;
  // Two periods: the one in progress at the edit, and time for the input to start.
  if (sinceSeconds < 0 || sinceSeconds > 2 * periodSeconds) return undefined;
  return { kind: 'reload-pending', file, sinceSeconds, periodSeconds };
}

/** The socket that the process holds instead. */
function elsewhere(instance: Instance, listener: Listener, context: VerdictContext): Cause | undefined {
  const { target, protocol, rival } = listener;
  const held = context.socketsOf(instance).filter((socket) => socket.protocol === protocol);
  if (rival !== undefined) {
    const winner = instance.expected.find(
      (other) => other !== listener && other.rival === rival && held.some((socket) => context.serves(socket, other)),
    );
    if (winner !== undefined) return { kind: 'same-id', declaredIn: winner.declaredIn };
  }
  if (target.kind !== 'socket') return undefined;
  const isExpected = (socket: Socket) => instance.expected.some((one) => context.serves(socket, one));
  const home = context.namespaceOf(instance)?.netns;
  for (const socket of held) {
    if (socket.port !== target.port) continue;
    const isElsewhere = home !== undefined && socket.netns !== home;
    if (!isElsewhere && isExpected(socket)) continue;
    const differs = isElsewhere ? 'namespace' : socket.family === target.family ? 'address' : 'family';
    return { kind: 'bound-elsewhere', address: socket.address, differs };
  }
  return undefined;
}

/**
 * It refused its files at its start and hangs instead of exiting, as some releases do. Such a process holds at most the socket of
 * its stats endpoint.
 */
export function hangsAfterRefusal(
  instance: Instance,
  context: VerdictContext,
): Extract<Cause, { kind: 'hangs-after-refusal' }> | undefined {
  const { prediction, process, basis } = instance;
  if (process === undefined || prediction.outcome !== 'exits' || basis === 'remembered') return undefined;
  if (prediction.reason === undefined || prediction.reason.atOnce || editedSinceStart(prediction, process.startTime))
    return undefined;
  const release = parseRelease(prediction.release.version);
  if (release === undefined || !applies('refusal-may-hang', release)) return undefined;
  // Filebeat opens its stats endpoint before it checks its inputs.
  const endpoints = (prediction.declared?.listeners ?? []).filter(({ input }) => input === 'http');
  const isEndpoint = (socket: Socket) => endpoints.some((listener) => context.serves(socket, listener));
  return context.hidesOwners(instance) || !context.socketsOf(instance).every(isEndpoint)
    ? undefined
    : { kind: 'hangs-after-refusal', fault: prediction.reason };
}

/** The owner of a socket that `listener` lacks: since when it runs, and where its files declare the endpoint if it is a Filebeat. */
export function holderOf(owner: Owner, instance: Instance, listener: Listener, context: VerdictContext): Holder {
  const other = context.instanceOf(owner);
  const claim = other?.expected.find(
    (l) =>
      l.protocol === listener.protocol && (collides(l.target, listener.target) || collides(listener.target, l.target)),
  );
  const { process } = instance;
  return {
    owner,
    ...(other === undefined ? {} : { instance: other.name }),
    ...(claim === undefined ? {} : { declaredIn: claim.declaredIn }),
    ...(process === undefined ? {} : { headStart: (process.startTicks - owner.startTicks) / TICKS_PER_SECOND }),
  };
}

/** `addresses`: see `Namespace.addresses`; single ones, and local IPv4 ranges such as `127.0.0.0/8`. */
function isLocal(address: string, addresses: readonly string[]): boolean {
  return addresses.some((one) => {
    const [base, bits] = one.split('/');
    if (bits === undefined) return one === address;
    const shift = 32 - Number(bits);
    return !address.includes(':') && word(address) >>> shift === word(base!) >>> shift;
  });
}

function word(ipv4: string): number {
  return ipv4.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0);
}
