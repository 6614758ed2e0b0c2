/**
 * Predictions that a running process disproves: a process that holds the socket of an input has started and has accepted that
 * input. Pure.
 */
import { isServedBy } from '../filebeat/net/address.js';
import { applies, parseRelease } from '../filebeat/releases/releases.js';
import { ageOf, processKey } from '../model/instance-rules.js';
import type { ConfigFile, Fault, FilebeatProcess, Instance, Listener, Socket } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import { type SocketIndex, socketsOf } from './socket-index.js';

export interface EvidenceContext {
  /** Seconds since the epoch. */
  now: number;
  /** Seconds after a start within which a socket proves nothing. */
  grace: number;
  /** The last time at which the socket did not exist yet, seconds since the epoch; undefined where that is unknown. */
  absentAt: (socket: Socket) => number | undefined;
}

/** A Filebeat that refuses its files has exited by then. Seconds after the grace. */
const exitSeconds = 60;

/** Start times and time stamps of files have steps of 10 ms. Seconds. */
const blur = 0.05;

/** The predicted faults that the process of the instance disproves. */
export function refutedBy(instance: Instance, index: SocketIndex, context: EvidenceContext): Fault[] {
  const { process } = instance;
  if (process === undefined || process.startUnsure) return [];
  const age = ageOf(process, context.now);
  if (age === undefined || age <= context.grace) return [];
  const started = startedAnyway(instance, process, index, age > context.grace + exitSeconds);
  return [...(started === undefined ? [] : [started]), ...acceptedAnyway(instance, process, index, context)];
}

/** The fault with which it should not have started. */
function startedAnyway(
  instance: Instance,
  process: FilebeatProcess,
  index: SocketIndex,
  isOld: boolean,
): Fault | undefined {
  const { outcome, reason, declared, files, release } = instance.prediction;
  if (outcome !== 'exits' || reason === undefined || declared === undefined) return undefined;
  if (!files.every((file) => file.reloaded || isOlder(file, process.startTime))) return undefined;
  // A Filebeat that hangs after refusing its files has its stats endpoint open.
  const inputs = declared.listeners.filter(({ input }) => input !== 'http');
  const sockets = socketsOf(instance, index);
  if (inputs.some((listener) => sockets.some((socket) => isServedBy(listener, socket, index.ipv6)))) return reason;
  const version = parseRelease(release.version);
  const mayHang = version === undefined || (applies('refusal-may-hang', version) && !reason.atOnce);
  return isOld && !mayHang ? reason : undefined;
}

/** Faults of inputs that it should have refused, and for which it holds a socket that no other input explains. */
function acceptedAnyway(
  instance: Instance,
  process: FilebeatProcess,
  index: SocketIndex,
  { absentAt }: EvidenceContext,
): Fault[] {
  const refused = refusedOf(instance.expected);
  if (refused.length === 0) return [];
  const open = instance.expected.filter((listener) => listener.refused === undefined);
  const sockets = socketsOf(instance, index).filter(
    (socket) => !open.some((listener) => isServedBy(listener, socket, index.ipv6)),
  );
  const faults = new Set<Fault>();
  for (const listener of refused) {
    const file = fileOf(listener, instance);
    const proves = (socket: Socket) =>
      isServedBy(listener, socket, index.ipv6) &&
      (file === undefined ||
        isOlder(file, process.startTime) ||
        (file.reloaded && isBornAfter(file, absentAt(socket))));
    if (sockets.some(proves)) faults.add(listener.refused!);
  }
  return [...faults];
}

/** Listeners that are predicted to be refused. */
const refusedOf = perObject((expected: readonly Listener[]) => expected.filter(({ refused }) => refused !== undefined));

function fileOf({ declaredIn }: Listener, { prediction }: Instance): ConfigFile | undefined {
  return prediction.files.find(({ path }) => path === declaredIn.file);
}

function isOlder({ ctime, mtime }: ConfigFile, time: number): boolean {
  return Math.max(ctime ?? 0, mtime ?? 0) <= time + blur;
}

function isBornAfter({ ctime, mtime }: ConfigFile, absentAt: number | undefined): boolean {
  return absentAt !== undefined && absentAt > Math.max(ctime ?? 0, mtime ?? 0);
}

/**
 * When sockets of a process were first seen, as values from scan to scan. Only of processes whose configuration has an input
 * that is predicted to be refused; nothing else asks for it.
 */
export type Births = ReadonlyMap<string, SeenSockets>;

interface SeenSockets {
  /** The last scan of the process, seconds since the epoch. */
  at: number;
  /** Inode → the last scan in which the socket did not exist yet; undefined where every scan has seen it. */
  absentAt: ReadonlyMap<number, number | undefined>;
}

/** The last scan in which the socket did not exist yet, seconds since the epoch; undefined where that is unknown. */
export function absentAt(births: Births, { inode, owners }: Socket): number | undefined {
  for (const owner of owners) {
    const seen = births.get(processKey(owner));
    if (seen !== undefined) return seen.absentAt.has(inode) ? seen.absentAt.get(inode) : seen.at;
  }
  return undefined;
}

export function nextBirths(births: Births, instances: readonly Instance[], index: SocketIndex, now: number): Births {
  const next = new Map<string, SeenSockets>();
  for (const instance of instances) {
    const { process, expected } = instance;
    if (process === undefined || refusedOf(expected).length === 0) continue;
    const sockets = socketsOf(instance, index).map((socket) => [socket.inode, absentAt(births, socket)] as const);
    next.set(processKey(process), { at: now, absentAt: new Map(sockets) });
  }
  return next;
}
