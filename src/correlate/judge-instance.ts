/** Verdicts about one instance as a whole, and about the sockets it holds beside the expected ones. Pure. */

import { serves } from '../filebeat/net/address.js';
import { byEndpoint, compareEndpoints } from '../model/endpoint.js';
import { ageOf } from '../model/instance-rules.js';
import type { Fault, Instance, Listener, Mismatch, MismatchCode, PortVerdict, Socket } from '../model/model.js';
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

/** Every expected endpoint judged; sockets claimed by fixed ports are no candidates for random ones. */
export function judgePorts(
  instance: Instance,
  context: VerdictContext,
): { ports: PortVerdict[]; mismatches: Mismatch[] } {
  const held = instance.expected.every(isFixed) ? [] : context.socketsOf(instance);
  const spare = held.filter(
    (s) =>
      !instance.expected.some(
        (l) => isFixed(l) && l.protocol === s.protocol && serves(l.target, s, context.ipv6) !== 'no',
      ),
  );
  const ports: PortVerdict[] = [];
  const mismatches: Mismatch[] = [];
  for (const listeners of byEndpoint(instance.expected)) {
    const { port, mismatch } = judgePort({ instance, listeners, spare }, context);
    const learned = port.input === 'learned' && mismatch?.code === 'port_missing';
    ports.push(port);
    if (mismatch !== undefined) mismatches.push(learned ? { ...mismatch, code: 'learned_port_gone' } : mismatch);
    if (instance.process !== undefined && mismatch === undefined) mismatches.push(...sharedInside(instance, port));
  }
  return { ports, mismatches };
}

/** Two inputs of one instance on one endpoint: one socket at best, whatever is bound now. */
function sharedInside(instance: Instance, port: PortVerdict): Mismatch[] {
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
 * What it runs without and no port of its own tells: nobody can tell a port, or none is lost (a warning). Beside an input
 * that has the same endpoint and is served, the one that is refused costs no port either.
 */
export function refusedInputs(instance: Instance, ports: readonly PortVerdict[]): Mismatch[] {
  if (instance.process === undefined) return [];
  const beside = ports.flatMap(({ listeners }) =>
    listeners.some((l) => l.refused === undefined) ? listeners.flatMap(({ refused }) => refused ?? []) : [],
  );
  const told = (fault: Fault, isMild: boolean): Mismatch =>
    instanceMismatch(instance, 'input_refused', {
      ...(isMild ? { severity: 'warning' } : {}),
      ...(fault.at === undefined ? {} : { declaredIn: fault.at, subject: positionText(fault.at) }),
      cause: { kind: 'config', fault: plainFault(fault) },
    });
  return [
    ...(instance.refusals ?? []).map((fault) => told(fault, fault.costs !== undefined)),
    ...[...new Set(beside)].map((fault) => told(fault, true)),
  ];
}

/** Of one whose start was not seen, and whose files were edited since. */
export function maybeRefused(instance: Instance): Mismatch[] {
  if (instance.process === undefined) return [];
  return (instance.nextRefusals ?? []).map((fault) =>
    instanceMismatch(instance, 'input_refused', {
      severity: 'warning',
      ...(fault.at === undefined ? {} : { declaredIn: fault.at, subject: positionText(fault.at) }),
      cause: { kind: 'maybe-refused', fault: plainFault(fault) },
    }),
  );
}

/** Rules of ours that its process has proved wrong. */
export function refutedPredictions(instance: Instance): Mismatch[] {
  return (instance.prediction.refuted ?? []).map((fault) =>
    instanceMismatch(instance, 'prediction_refuted', {
      ...(fault.at === undefined ? {} : { declaredIn: fault.at, subject: positionText(fault.at) }),
      cause: { kind: 'config', fault },
    }),
  );
}

export function positionText({ file, line }: NonNullable<Fault['at']>): string {
  return line === undefined ? file : `${file}:${line}`;
}

export function plainFault({ code, subject, at }: Fault): Fault {
  return { code, ...(subject === undefined ? {} : { subject }), ...(at === undefined ? {} : { at }) };
}

/** Sockets that the configuration does not explain. Those that explain why a port is missing are told there. */
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
  if (reloads(instance, context.now)) return [];
  const openEnded = ports.some((p) => p.status === 'unresolved' || (p.status === 'unknown' && p.port === 0));
  if (openEnded) return [];
  const explained = new Set(ports.map((p) => p.socket?.inode));
  const served = (s: Socket) =>
    instance.expected.some((l) => l.protocol === s.protocol && serves(l.target, s, context.ipv6) !== 'no');
  const told = (s: Socket) =>
    mismatches.some((m) => m.cause.kind === 'bound-elsewhere' && m.protocol === s.protocol && m.port === s.port);
  return context
    .socketsOf(instance)
    .filter((s) => !explained.has(s.inode) && !served(s) && !told(s) && isSettled(s, instance, context))
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

/** A reloaded file was edited within its last two periods: what it asked for before may still be held. Periods default to 10 s. */
function reloads({ prediction, expected }: Instance, now: number): boolean {
  const period = Math.max(...expected.map((l) => l.reload?.periodSeconds ?? 0)) || 10;
  return prediction.files.some(
    (f) => f.reloaded && f.mtime !== undefined && now >= f.mtime && now - f.mtime <= 2 * period,
  );
}

/** Seen in two scans at least the grace apart; one look alone goes by the age of the process (CONTRACT 4 "Unexpected"). */
export function isSettled(socket: Socket, instance: Instance, context: VerdictContext): boolean {
  const { process } = instance;
  if (context.thresholds.isSingleScan)
    return process !== undefined && (ageOf(process, context.now) ?? 0) > context.grace;
  const first = context.history.firstSeen.get(socketKey(socket));
  return first !== undefined && context.now - first >= context.grace;
}

/** Queue, drops, buffer of the ports that are served. */
export function loadMismatches(instance: Instance, ports: readonly PortVerdict[], context: VerdictContext): Mismatch[] {
  const found: Mismatch[] = [];
  for (const port of ports) {
    const { socket, receiveBuffer } = port;
    if (socket === undefined || instance.process === undefined || !statusesServed.includes(port.status)) continue;
    if (receiveBuffer !== undefined && socket.receiveQueue > receiveBuffer * context.thresholds.receiveQueueRatio) {
      found.push(
        portMismatch(instance, port, 'queue_high', { kind: 'queue', bytes: socket.receiveQueue, limit: receiveBuffer }),
      );
    }
    if (port.dropsRecent !== undefined && port.dropsRecent > 0) {
      found.push(
        portMismatch(instance, port, 'drops', { kind: 'dropped', datagrams: port.dropsRecent, sinceSeconds: 300 }),
      );
    }
    const wanted = Math.max(0, ...port.listeners.map((l) => l.readBuffer ?? 0));
    const granted = context.snapshot.host.rmemMax;
    if (granted !== undefined && wanted > granted)
      found.push(portMismatch(instance, port, 'buffer_capped', { kind: 'rmem-max', wanted, granted }));
  }
  return found;
}

/** Its process exists and cannot serve: two looks so far apart; of one look alone only what no running process is in. */
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

/** 1 Filebeat would accept it, 0 it would not; undefined when it could not be read. */
export function configValid(instance: Instance): boolean | undefined {
  const { outcome } = instance.prediction;
  return outcome === 'unknown' ? undefined : outcome !== 'exits';
}

export function isHealthy(
  up: boolean | undefined,
  ports: readonly PortVerdict[],
  mismatches: readonly Mismatch[],
  critical: (m: Mismatch) => boolean,
  isCut = false,
): boolean | undefined {
  if (up === undefined) return undefined;
  if (!up || mismatches.some(critical) || ports.some((p) => p.up === false)) return false;
  // Whether all is well with what was not looked at nobody knows.
  return isCut ? undefined : true;
}
