/** The verdict on one expected endpoint of one instance: its status, and the mismatch if there is one. Pure. */

import { collides, serves } from '../filebeat/net/address.js';
import { socketTarget } from '../model/endpoint.js';
import { ageOf, isSameProcess } from '../model/instance-rules.js';
import type {
  Cause,
  Fault,
  Instance,
  Listener,
  Mismatch,
  PortStatus,
  PortVerdict,
  Socket,
  Target,
} from '../model/model.js';
import { holderOf, missingCause } from './missing-cause.js';
import type { VerdictContext } from './verdict-context.js';

/** The listeners of one instance that share one endpoint. */
export interface PortSubject {
  instance: Instance;
  listeners: Listener[];
  /** Sockets of this instance that serve none of its fixed ports: one of them may be a random port. */
  spare: readonly Socket[];
}

function portOf(target: Target): number | undefined {
  return target.kind === 'socket' || target.kind === 'name' ? target.port : undefined;
}

type Judgement = Pick<PortVerdict, 'status' | 'up' | 'socket'> & { code?: Mismatch['code']; cause?: Cause };

function isOwnedBy(socket: Socket, { process }: Instance): boolean {
  return process !== undefined && socket.owners.some((owner) => isSameProcess(owner, process));
}

/** The exporter lacks the permission to see its owner. */
function isOwnerHidden({ owners, ownersKnown }: Socket): boolean {
  return owners.length === 0 && !ownersKnown;
}

/** Seconds after the start of the process before which the listener is not called missing. */
function graceOf(listener: Listener, grace: number): number {
  return grace + (listener.reload?.periodSeconds ?? 0) + (listener.slowStart ? 25 : 0);
}

function judgeSocket(subject: PortSubject, listener: Listener, context: VerdictContext): Judgement {
  const { instance } = subject;
  const { target, protocol } = listener;
  const port = portOf(target);
  const sockets = port === undefined ? [] : context.socketsAt(instance, protocol, port);
  const serving = sockets.filter((socket) => context.serves(socket, listener));
  const own = serving.find((socket) => isOwnedBy(socket, instance));
  if (own !== undefined) return judgeOwn(own, serving, instance, listener, context);
  // A socket whose owner is visible does not serve this instance.
  const hidden = context.hidesOwners(instance) ? judgeHidden(instance, serving) : undefined;
  if (hidden !== undefined) return hidden;
  if (target.kind === 'name') return judgeAbsent(subject, listener, context, 'unresolved');
  const inTheWay = sockets.filter((socket) => collides(target, socketTarget(socket)));
  return (
    takenByOther(inTheWay, instance, listener, context) ??
    takenByRival(inTheWay, instance, context) ??
    judgeAbsent(subject, listener, context, 'missing')
  );
}

/** Its process holds `own`, which serves the listener. */
function judgeOwn(
  own: Socket,
  serving: readonly Socket[],
  instance: Instance,
  listener: Listener,
  context: VerdictContext,
): Judgement {
  if (context.deaf(instance, listener)) {
    const cause: Cause = { kind: 'bind-failed', retry: 'deaf' };
    return { status: 'deaf', up: false, socket: own, code: 'listener_deaf', cause };
  }
  const shared = serving.find(
    (socket) =>
      socket.inode !== own.inode &&
      socket.owners.length > 0 &&
      !isOwnedBy(socket, instance) &&
      socket.family === own.family &&
      socket.address === own.address,
  );
  if (shared !== undefined) {
    const cause: Cause = { kind: 'shared-with', ...holderOf(shared.owners[0]!, instance, listener, context) };
    return { status: 'listening', up: true, socket: own, code: 'port_taken', cause };
  }
  if (serves(listener.target, own, context.ipv6) === 'narrower')
    return { status: 'narrower', up: true, socket: own, code: 'port_narrower', cause: { kind: 'ipv4-only-socket' } };
  return { status: 'listening', up: true, socket: own };
}

/** A socket that another process holds makes the bind fail. */
function takenByOther(
  inTheWay: readonly Socket[],
  instance: Instance,
  listener: Listener,
  context: VerdictContext,
): Judgement | undefined {
  const socket = inTheWay.find((one) => !isOwnedBy(one, instance));
  if (socket === undefined) return undefined;
  const [owner] = socket.owners;
  const { retry } = listener;
  const holder = owner === undefined ? { uid: socket.uid } : holderOf(owner, instance, listener, context);
  return { status: 'taken', up: false, socket, code: 'port_taken', cause: { kind: 'held-by', retry, ...holder } };
}

/** A socket that the instance itself holds, for another of its inputs, makes the bind fail. */
function takenByRival(inTheWay: readonly Socket[], instance: Instance, context: VerdictContext): Judgement | undefined {
  const socket = inTheWay.find((one) => isOwnedBy(one, instance));
  if (socket === undefined) return undefined;
  const winner = instance.expected.find((one) => one.refused === undefined && context.serves(socket, one));
  if (winner === undefined) return undefined;
  const cause: Cause = { kind: 'other-listener', instance: instance.name, declaredIn: winner.declaredIn };
  return { status: 'taken', up: false, socket, code: 'port_conflict', cause };
}

/** A socket of its user (of any user where its process cannot be seen) whose owner cannot be seen. */
function judgeHidden({ process }: Instance, serving: readonly Socket[]): Judgement | undefined {
  const socket = serving.find((s) => isOwnerHidden(s) && (process === undefined || s.uid === process.uid));
  if (socket === undefined) return undefined;
  const subject = process === undefined ? '/proc' : `/proc/${process.pid}/fd`;
  const cause: Cause = { kind: 'permission', subject, uid: socket.uid };
  return { status: 'owner_hidden', up: true, socket, code: 'owner_hidden', cause };
}

/** No socket was found: starting, undecided, or missing with a cause. */
function judgeAbsent(
  subject: PortSubject,
  listener: Listener,
  context: VerdictContext,
  status: 'missing' | 'unresolved',
): Judgement {
  const { instance } = subject;
  const { process } = instance;
  const grace = graceOf(listener, context.grace);
  const age = process === undefined ? undefined : ageOf(process, context.now);
  if (process !== undefined && grace > 0 && (age === undefined || age <= grace)) {
    // It may be older, and may have lacked the listener for long.
    if (age === undefined || process.startUnsure) return { status: 'unknown' };
    return { status: 'starting', up: false };
  }
  if (context.undecided(instance, listener)) return { status: 'unknown' };
  if (status === 'unresolved') return { status, code: 'config_unresolved', cause: { kind: 'unresolved', why: 'name' } };
  return { status, up: false, code: 'port_missing', cause: missingCause(instance, listener, context) };
}

function judge(subject: PortSubject, context: VerdictContext): Judgement {
  const { instance } = subject;
  const listener = leading(subject.listeners);
  const { target } = listener;
  if (target.kind === 'unresolved')
    return { status: 'unresolved', code: 'config_unresolved', cause: { kind: 'unresolved', why: target.why } };
  if (instance.hidden) return judgeHidden(instance, servingOf(subject, context)) ?? { status: 'unknown' };
  if (instance.process === undefined) return { status: 'instance_down', up: false, ...remnant(subject, context) };
  if (target.kind === 'invalid')
    return { status: 'invalid', up: false, code: 'listener_invalid', cause: { kind: 'invalid', why: target.why } };
  if (listener.refused !== undefined) return judgeRefused(subject, listener, listener.refused, context);
  if (target.kind === 'random') {
    const socket = subject.spare.find((s) => s.family === target.family && s.address === target.address);
    if (socket !== undefined)
      return { status: 'listening', up: true, socket, code: 'port_random', cause: { kind: 'none' } };
    const hidden = context.hidesOwners(instance);
    if (hidden) return { status: 'unknown', code: 'port_random', cause: { kind: 'none' } };
    return { ...judgeAbsent(subject, listener, context, 'missing') };
  }
  return judgeSocket(subject, listener, context);
}

/** The listener that is judged for all that share an endpoint: one that Filebeat does not refuse. */
function leading(listeners: readonly Listener[]): Listener {
  return listeners.find((one) => one.refused === undefined) ?? listeners[0]!;
}

/**
 * A listener that Filebeat refuses. If its file is read only at the start and its process still holds a socket, it is served,
 * and a restart would lose it. If its file is reloaded, Filebeat is about to close a socket from before the edit.
 */
function judgeRefused({ instance }: PortSubject, listener: Listener, fault: Fault, context: VerdictContext): Judgement {
  const own = context
    .socketsOf(instance)
    .find(
      (socket) =>
        context.serves(socket, listener) &&
        !instance.expected.some((other) => other.refused === undefined && context.serves(socket, other)),
    );
  const { process, prediction } = instance;
  const isEdited = prediction.files.some(
    (f) => f.path === listener.declaredIn.file && f.reloaded && (f.mtime ?? 0) > (process?.startTime ?? 0),
  );
  if (own !== undefined && !isEdited) return { status: 'listening', up: true, socket: own };
  return { status: 'refused', up: false, code: 'input_refused', cause: { kind: 'config', fault } };
}

/** The endpoint of an instance that is down may still be bound, e.g. by a child that inherited the socket: shown, not judged. */
function remnant(subject: PortSubject, context: VerdictContext): { socket?: Socket } {
  const [socket] = servingOf(subject, context);
  return socket === undefined ? {} : { socket };
}

/** Whatever process holds them. */
function servingOf({ instance, listeners: [listener] }: PortSubject, context: VerdictContext): Socket[] {
  const port = portOf(listener!.target);
  if (port === undefined) return [];
  return context.socketsAt(instance, listener!.protocol, port).filter((socket) => context.serves(socket, listener!));
}

/** The verdict on one port, and its mismatch if there is one. */
export function judgePort(subject: PortSubject, context: VerdictContext): { port: PortVerdict; mismatch?: Mismatch } {
  const { instance, listeners } = subject;
  const first = leading(listeners);
  const { code, cause, ...judged } = judge(subject, context);
  const port: PortVerdict = {
    protocol: first.protocol,
    address: first.address,
    ...(first.port === undefined ? {} : { port: first.port }),
    input: [...new Set(listeners.map((l) => l.input))].sort().join(','),
    listeners,
    ...judged,
  };
  if (code === undefined || cause === undefined) return { port };
  return { port, mismatch: { ...portMismatch(instance, port, code, cause) } };
}

export function portMismatch(instance: Instance, port: PortVerdict, code: Mismatch['code'], cause: Cause): Mismatch {
  return {
    code,
    ...subjectOf(instance),
    protocol: port.protocol,
    address: port.address,
    ...(port.port === undefined ? {} : { port: port.port }),
    input: port.input,
    declaredIn: leading(port.listeners).declaredIn,
    cause,
  };
}

/** The fields of a mismatch that name its instance. */
export function subjectOf(
  instance: Instance,
): Pick<Mismatch, 'name' | 'config' | 'pid' | 'unit' | 'unitIsOnlyCgroup' | 'userUnit' | 'container' | 'parent'> {
  const { name, config, process, unit, unitIsOnlyCgroup, userUnit, containerBy } = instance;
  return {
    name,
    config,
    ...(process === undefined ? {} : { pid: process.pid }),
    ...(unit === undefined ? {} : { unit }),
    ...(unitIsOnlyCgroup === undefined ? {} : { unitIsOnlyCgroup }),
    ...(userUnit === undefined ? {} : { userUnit }),
    ...(containerBy === undefined ? {} : { container: containerBy }),
    ...(process?.parent === undefined ? {} : { parent: process.parent }),
  };
}

export const statusesServed: readonly PortStatus[] = ['listening', 'narrower', 'owner_hidden'];
