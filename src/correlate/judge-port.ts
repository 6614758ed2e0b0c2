/** One expected endpoint of one running instance against the sockets of its namespace: status, and the mismatch that goes with it. Pure. */

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
  /** Sockets of this instance that no other listener has claimed: what a random port may be. */
  spare: readonly Socket[];
}

function portOf(target: Target): number | undefined {
  return target.kind === 'socket' || target.kind === 'name' ? target.port : undefined;
}

type Judgement = Pick<PortVerdict, 'status' | 'up' | 'socket'> & { code?: Mismatch['code']; cause?: Cause };

function ownedBy(socket: Socket, instance: Instance): boolean {
  const { process } = instance;
  return process !== undefined && socket.owners.some((owner) => isSameProcess(owner, process));
}

/** Bound, and nobody can be named: permission is lacking. */
function ownerHidden(socket: Socket): boolean {
  return socket.owners.length === 0 && !socket.ownersKnown;
}

function ownerCause(socket: Socket, instance: Instance, listener: Listener, context: VerdictContext): Cause {
  const owner = socket.owners[0];
  const { retry } = listener;
  if (owner === undefined) return { kind: 'held-by', retry, uid: socket.uid };
  return { kind: 'held-by', retry, ...holderOf(owner, instance, listener, context) };
}

/** Start-up takes a moment; nothing is called missing before it is over (CONTRACT 4 "Starting"). Seconds after the start. */
function graceOf(listener: Listener, grace: number): number {
  return grace + (listener.reload?.periodSeconds ?? 0) + (listener.slowStart ? 25 : 0);
}

function judgeSocket(subject: PortSubject, listener: Listener, context: VerdictContext): Judgement {
  const { instance } = subject;
  const { target } = listener;
  const sockets = portOf(target) === undefined ? [] : context.socketsAt(instance, listener.protocol, portOf(target)!);
  const serving = sockets.filter((s) => serves(target, s, context.ipv6) !== 'no');
  const own = serving.find((s) => ownedBy(s, instance));
  if (own !== undefined) {
    if (context.deaf(instance, listener))
      return {
        status: 'deaf',
        up: false,
        socket: own,
        code: 'listener_deaf',
        cause: { kind: 'bind-failed', retry: 'deaf' },
      };
    const duplicate = serving.find(
      (s) =>
        s.inode !== own.inode &&
        s.owners.length > 0 &&
        !ownedBy(s, instance) &&
        s.family === own.family &&
        s.address === own.address,
    );
    if (duplicate !== undefined) {
      const cause: Cause = { kind: 'shared-with', ...holderOf(duplicate.owners[0]!, instance, listener, context) };
      return { status: 'listening', up: true, socket: own, code: 'port_taken', cause };
    }
    if (serves(target, own, context.ipv6) === 'narrower') {
      return { status: 'narrower', up: true, socket: own, code: 'port_narrower', cause: { kind: 'ipv4-only-socket' } };
    }
    return { status: 'listening', up: true, socket: own };
  }
  // Who can be seen not to hold it is not served by it, whoever else may hold it.
  const hidden = context.hidesOwners(instance) ? judgeHidden(instance, serving) : undefined;
  if (hidden !== undefined) return hidden;
  if (target.kind === 'name') return judgeAbsent(subject, listener, context, 'unresolved');
  const taker = sockets.find((s) => !ownedBy(s, instance) && collides(target, socketTarget(s)));
  if (taker !== undefined)
    return {
      status: 'taken',
      up: false,
      socket: taker,
      code: 'port_taken',
      cause: ownerCause(taker, instance, listener, context),
    };
  const rival = sockets.find((s) => ownedBy(s, instance) && collides(target, socketTarget(s)));
  if (rival !== undefined) {
    const winner = instance.expected.find(
      (l) =>
        l.refused === undefined && l.protocol === listener.protocol && serves(l.target, rival, context.ipv6) !== 'no',
    );
    if (winner !== undefined)
      return {
        status: 'taken',
        up: false,
        socket: rival,
        code: 'port_conflict',
        cause: { kind: 'other-listener', instance: instance.name, declaredIn: winner.declaredIn },
      };
  }
  return judgeAbsent(subject, listener, context, 'missing');
}

/** Bound by its user (any, where its process cannot be seen), and more is not to be seen. */
function judgeHidden({ process }: Instance, serving: readonly Socket[]): Judgement | undefined {
  const socket = serving.find((s) => ownerHidden(s) && (process === undefined || s.uid === process.uid));
  if (socket === undefined) return undefined;
  const subject = process === undefined ? '/proc' : `/proc/${process.pid}/fd`;
  const cause: Cause = { kind: 'permission', subject, uid: socket.uid };
  return { status: 'owner_hidden', up: true, socket, code: 'owner_hidden', cause };
}

/** Nothing there: starting, undecided, or missing with a cause. */
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
    // Whether it is that young nobody knows: it may have lacked the listener for long.
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

/** Of those that share an endpoint, one that Filebeat does not refuse; it is judged for all. */
function leading(listeners: readonly Listener[]): Listener {
  return listeners.find((one) => one.refused === undefined) ?? listeners[0]!;
}

/**
 * Asked for, and not opened. Of what is read only at the start the state at the start counts: while its socket stands,
 * it is served, and a restart would lose it. Of what is reloaded a socket from before the edit is about to go.
 */
function judgeRefused({ instance }: PortSubject, listener: Listener, fault: Fault, context: VerdictContext): Judgement {
  const own = context
    .socketsOf(instance)
    .find(
      (s) =>
        s.protocol === listener.protocol &&
        serves(listener.target, s, context.ipv6) !== 'no' &&
        !instance.expected.some(
          (l) => l.refused === undefined && l.protocol === s.protocol && serves(l.target, s, context.ipv6) !== 'no',
        ),
    );
  const { process, prediction } = instance;
  const isEdited = prediction.files.some(
    (f) => f.path === listener.declaredIn.file && f.reloaded && (f.mtime ?? 0) > (process?.startTime ?? 0),
  );
  if (own !== undefined && !isEdited) return { status: 'listening', up: true, socket: own };
  return { status: 'refused', up: false, code: 'input_refused', cause: { kind: 'config', fault } };
}

/** A dead instance's endpoint may still be bound, e.g. by a child that inherited it: shown, not judged. */
function remnant(subject: PortSubject, context: VerdictContext): { socket?: Socket } {
  const [socket] = servingOf(subject, context);
  return socket === undefined ? {} : { socket };
}

/** Whoever holds them. */
function servingOf({ instance, listeners }: PortSubject, context: VerdictContext): Socket[] {
  const { target, protocol } = listeners[0]!;
  const port = portOf(target);
  if (port === undefined) return [];
  return context.socketsAt(instance, protocol, port).filter((s) => serves(target, s, context.ipv6) !== 'no');
}

/** One port's verdict, and the mismatch that stands for it, if any. */
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

/** What every mismatch says of its instance. */
export function subjectOf(
  instance: Instance,
): Pick<Mismatch, 'name' | 'config' | 'pid' | 'unit' | 'unitIsPlace' | 'userUnit' | 'container' | 'parent'> {
  const { name, config, process, unit, unitIsPlace, userUnit, containerBy } = instance;
  return {
    name,
    config,
    ...(process === undefined ? {} : { pid: process.pid }),
    ...(unit === undefined ? {} : { unit }),
    ...(unitIsPlace === undefined ? {} : { unitIsPlace }),
    ...(userUnit === undefined ? {} : { userUnit }),
    ...(containerBy === undefined ? {} : { container: containerBy }),
    ...(process?.parent === undefined ? {} : { parent: process.parent }),
  };
}

export const statusesServed: readonly PortStatus[] = ['listening', 'narrower', 'owner_hidden'];
