/** Mismatches of one instance as a whole, and of sockets that its configuration does not explain. Pure. */

import { isServedBy } from '../filebeat/net/address.js';
import { byEndpoint, compareEndpoints } from '../model/endpoint.js';
import { ageOf } from '../model/instance-rules.js';
import type { Cause, Fault, Instance, Listener, Mismatch, MismatchCode, PortVerdict, Socket } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import { judgePort, portMismatch, statusesServed, subjectOf } from './judge-port.js';
import { haltKey, socketKey } from './scan-history.js';
import type { VerdictContext } from './verdict-context.js';

export function instanceMismatch(
  instance: Instance,
  code: MismatchCode,
  rest: Pick<Mismatch, 'cause'> & Partial<Mismatch>,
): Mismatch {
  return { code, ...subjectOf(instance), ...rest };
}

function isFixed(listener: Listener): boolean {
  return listener.target.kind === 'socket' || listener.target.kind === 'name';
}

/** The verdicts on all expected endpoints. A socket that serves a fixed port cannot be a random one. */
export function judgePorts(
  instance: Instance,
  context: VerdictContext,
): { ports: PortVerdict[]; mismatches: Mismatch[] } {
  const held = instance.expected.every(isFixed) ? [] : context.socketsOf(instance);
  const spare = held.filter(
    (socket) => !instance.expected.some((listener) => isFixed(listener) && context.serves(socket, listener)),
  );
  const ports: PortVerdict[] = [];
  const mismatches: Mismatch[] = [];
  for (const listeners of byEndpoint(instance.expected)) {
    const { port, mismatch } = judgePort({ instance, listeners, spare }, context);
    const learned = port.input === 'learned' && mismatch?.code === 'port_missing';
    ports.push(port);
    if (mismatch !== undefined) mismatches.push(learned ? { ...mismatch, code: 'learned_port_gone' } : mismatch);
    if (instance.process !== undefined && mismatch === undefined) mismatches.push(...rivalInputs(instance, port));
  }
  return { ports, mismatches };
}

/** Two inputs of one instance on one endpoint: only one of them can get it, whichever has it now. */
function rivalInputs(instance: Instance, port: PortVerdict): Mismatch[] {
  const rivals = port.listeners.filter(
    (l) => l.shares === undefined && l.refused === undefined && l.target.kind === 'socket',
  );
  const [winner, loser] = rivals;
  if (winner === undefined || loser === undefined) return [];
  return [
    portMismatch(instance, port, 'port_conflict', {
      kind: 'other-listener',
      instance: instance.name,
      declaredIn: loser.declaredIn,
    }),
  ];
}

/**
 * Refused inputs that no port verdict reports: their port is unknown, or they cost none (a warning), such as an input whose
 * endpoint another input has.
 */
export function refusedInputs(instance: Instance, ports: readonly PortVerdict[]): Mismatch[] {
  if (instance.process === undefined) return [];
  const mismatchOf = (fault: Fault, isMild: boolean): Mismatch =>
    instanceMismatch(instance, 'input_refused', {
      ...(isMild ? { severity: 'warning' } : {}),
      ...positionOf(fault),
      cause: { kind: 'config', fault: plainFault(fault) },
    });
  return [
    ...(instance.refusals ?? []).map((fault) => mismatchOf(fault, fault.costs !== undefined)),
    ...refusedBeside(ports).map((fault) => mismatchOf(fault, true)),
  ];
}

/** Faults of refused inputs at ports that another input has. */
const refusedBeside = perObject((ports: readonly PortVerdict[]): Fault[] => {
  const faults = ports.flatMap(({ listeners }) =>
    listeners.some((l) => l.refused === undefined) ? listeners.flatMap(({ refused }) => refused ?? []) : [],
  );
  return [...new Set(faults)];
});

/** Inputs that the files on disk rule out, of a process that was started before an edit and whose start was not seen. */
export function maybeRefused(instance: Instance): Mismatch[] {
  if (instance.process === undefined) return [];
  return (instance.nextRefusals ?? []).map((fault) =>
    instanceMismatch(instance, 'input_refused', {
      severity: 'warning',
      ...positionOf(fault),
      cause: { kind: 'maybe-refused', fault: plainFault(fault) },
    }),
  );
}

/** Predictions that its process has disproved. */
export function refutedPredictions(instance: Instance): Mismatch[] {
  return (instance.prediction.refuted ?? []).map((fault) =>
    instanceMismatch(instance, 'prediction_refuted', {
      ...positionOf(fault),
      cause: { kind: 'config', fault },
    }),
  );
}

/** Where a fault is, as fields of a mismatch; its position as text tells several faults of one instance apart. */
export function positionOf({ at }: Fault): Pick<Mismatch, 'declaredIn' | 'subject'> {
  return at === undefined ? {} : { declaredIn: at, subject: at.line === undefined ? at.file : `${at.file}:${at.line}` };
}

/** Only the fields of a fault that are reported. */
export function plainFault({ code, subject, at }: Fault): Fault {
  return { code, ...(subject === undefined ? {} : { subject }), ...(at === undefined ? {} : { at }) };
}

/** Sockets that the configuration does not explain, but for those that another mismatch names as the cause of a missing port. */
export function unexpectedSockets(
  instance: Instance,
  { ports, mismatches }: { ports: readonly PortVerdict[]; mismatches: readonly Mismatch[] },
  context: VerdictContext,
): Mismatch[] {
  const { prediction, process } = instance;
  if (
    process === undefined ||
    prediction.outcome === 'dynamic' ||
    prediction.outcome === 'unknown' ||
    prediction.outcome === 'ambiguous'
  )
    return [];
  if (prediction.outcome === 'exits' && instance.basis !== 'remembered') return [];
  if (instance.basis === 'edited' || prediction.gaps.length > 0) return [];
  const spare = unexplained(ports, instance.expected, context.socketsOf(instance), context.ipv6);
  if (spare.length === 0 || isReloading(instance, context.now)) return [];
  const isReported = ({ protocol, port }: Socket) =>
    mismatches.some((m) => m.cause.kind === 'bound-elsewhere' && m.protocol === protocol && m.port === port);
  return spare
    .filter((s) => !isReported(s) && isSettled(s, instance, context))
    .sort(compareEndpoints)
    .map((s) =>
      instanceMismatch(instance, 'socket_unexpected', {
        protocol: s.protocol,
        address: s.address,
        port: s.port,
        cause: { kind: 'none' },
      }),
    );
}

/** Sockets of an instance that serve none of its listeners. None where one of its listeners may have any port. */
const unexplained = perObject(
  (
    ports: readonly PortVerdict[],
    expected: readonly Listener[],
    held: readonly Socket[],
    ipv6: boolean,
  ): readonly Socket[] => {
    if (ports.some((p) => p.status === 'unresolved' || (p.status === 'unknown' && p.port === 0))) return [];
    const explained = new Set(ports.map((p) => p.socket?.inode));
    return held.filter((s) => !explained.has(s.inode) && !expected.some((listener) => isServedBy(listener, s, ipv6)));
  },
);

/** A reloaded file was edited within its last two periods, so sockets from before may still be open. The default period is 10 s. */
function isReloading({ prediction, expected }: Instance, now: number): boolean {
  const period = Math.max(...expected.map((l) => l.reload?.periodSeconds ?? 0)) || 10;
  return prediction.files.some(
    (f) => f.reloaded && f.mtime !== undefined && now >= f.mtime && now - f.mtime <= 2 * period,
  );
}

/**
 * Seen in two scans that are at least the grace apart. A single scan goes by the age of the process.
 */
export function isSettled(socket: Socket, instance: Instance, context: VerdictContext): boolean {
  const { process } = instance;
  if (context.thresholds.isSingleScan)
    return process !== undefined && (ageOf(process, context.now) ?? 0) > context.grace;
  const first = context.history.firstSeen.get(socketKey(socket));
  return first !== undefined && context.now - first >= context.grace;
}

/** Mismatches about queue, drops and buffer of served ports. */
export function loadMismatches(instance: Instance, ports: readonly PortVerdict[], context: VerdictContext): Mismatch[] {
  if (instance.process === undefined) return [];
  const loads = loadsOf(ports, context.thresholds.receiveQueueRatio, context.snapshot.host.rmemMax);
  return loads.map(({ port, code, cause }) => portMismatch(instance, port, code, cause));
}

type Load = { port: PortVerdict; code: MismatchCode; cause: Cause };

const loadsOf = perObject((ports: readonly PortVerdict[], ratio: number, rmemMax: number | undefined): Load[] =>
  ports.flatMap((port): Load[] => {
    const { socket, receiveBuffer: limit, dropsRecent = 0 } = port;
    if (socket === undefined || !statusesServed.includes(port.status)) return [];
    const found: Load[] = [];
    const bytes = socket.receiveQueue;
    if (limit !== undefined && bytes > limit * ratio)
      found.push({ port, code: 'queue_high', cause: { kind: 'queue', bytes, limit } });
    if (dropsRecent > 0)
      found.push({ port, code: 'drops', cause: { kind: 'dropped', datagrams: dropsRecent, sinceSeconds: 300 } });
    const wanted = Math.max(0, ...port.listeners.map(({ readBuffer }) => readBuffer ?? 0));
    if (rmemMax !== undefined && wanted > rmemMax)
      found.push({ port, code: 'buffer_capped', cause: { kind: 'rmem-max', wanted, granted: rmemMax } });
    return found;
  }),
);

/**
 * Its process makes no progress, as two scans at least so far apart have seen. A single scan reports only states that a working
 * process is never in.
 */
export function frozenMismatch(instance: Instance, { thresholds, history, now }: VerdictContext): Mismatch | undefined {
  const { process } = instance;
  if (process?.halt === undefined) return undefined;
  const { frozenAfter = 10, stalledAfter = 60, isSingleScan } = thresholds;
  const certain = process.halt === 'stopped' || process.halt === 'cgroup';
  const how = process.halt;
  if (isSingleScan)
    return certain ? instanceMismatch(instance, 'instance_frozen', { cause: { kind: 'frozen', how } }) : undefined;
  const before = history.halted.get(haltKey(process));
  if (before === undefined || before.cpu !== process.cpuSeconds) return undefined;
  const sinceSeconds = now - before.since;
  if (sinceSeconds < (certain ? frozenAfter : stalledAfter)) return undefined;
  return instanceMismatch(instance, 'instance_frozen', { cause: { kind: 'frozen', how, sinceSeconds } });
}

/**
 * Reported at the imitating instance, once its process is older than the grace. `test`, `export` and `setup` exit by themselves
 * and are no instances.
 */
export function lookalikeMismatch(instance: Instance, context: VerdictContext): Mismatch | undefined {
  const { process, identity } = instance;
  if (identity?.imitates === undefined || process === undefined) return undefined;
  if ((ageOf(process, context.now) ?? 0) < context.grace) return undefined;
  const { name, differs } = identity.imitates;
  return instanceMismatch(instance, 'lookalike', { cause: { kind: 'imitates', instance: name, differs } });
}

/** Whether Filebeat would accept its configuration; undefined where it could not be read. */
export function configValid(instance: Instance): boolean | undefined {
  const { outcome } = instance.prediction;
  return outcome === 'unknown' ? undefined : outcome !== 'exits';
}

/** Undefined where that is unknown. `mismatches`: those of the instance. */
export function isHealthy(
  up: boolean | undefined,
  ports: readonly PortVerdict[],
  mismatches: readonly Mismatch[],
  critical: (m: Mismatch) => boolean,
  isTruncated = false,
): boolean | undefined {
  if (up === undefined) return undefined;
  if (!up || mismatches.some(critical) || isAnyDown(ports)) return false;
  // Listeners beyond a limit were not judged.
  return isTruncated ? undefined : true;
}

const isAnyDown = perObject((ports: readonly PortVerdict[]): boolean => ports.some(({ up }) => up === false));
