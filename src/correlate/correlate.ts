/**
 * Compares what the configurations ask for with what the kernel has. Pure: a Snapshot, the history of earlier scans and
 * thresholds in, a Verdict out.
 */

import { byEndpoint, compareEndpoints, endpointKey, endpointOf } from '../model/endpoint.js';
import { bySeverity, severityOf } from '../model/mismatches.js';
import type {
  Cause,
  Fault,
  Instance,
  InstanceVerdict,
  Listener,
  Mismatch,
  PortVerdict,
  Snapshot,
  Verdict,
} from '../model/model.js';
import { containDefect } from '../runtime/defect.js';
import { groupBy } from '../runtime/group-by.js';
import { dataPathConflicts } from './data-path-conflicts.js';
import { downCauses } from './down-cause.js';
import {
  configValid,
  frozenMismatch,
  instanceMismatch,
  isHealthy,
  isSettled,
  loadMismatches,
  lookalikeMismatch,
  maybeRefused,
  plainFault,
  refusedInputs,
  refutedPredictions,
  unexpectedSockets,
} from './judge-instance.js';
import { outputMismatches, reloadFailed, silentPorts, withSelfReport } from './judge-output.js';
import { judgeStatics } from './judge-statics.js';
import { hangsAfterRefusal } from './missing-cause.js';
import { conflictsBetween } from './port-conflicts.js';
import { releaseDoubts } from './release-doubts.js';
import { mismatchKey, type ScanHistory } from './scan-history.js';
import { judgedPorts } from './verdict-cache.js';
import { createVerdictContext, type Thresholds, type VerdictContext } from './verdict-context.js';

/** Mismatches about its configuration files. */
function configMismatches(instance: Instance, context: VerdictContext): Mismatch[] {
  const { prediction } = instance;
  const { outcome, reason } = prediction;
  const found: Mismatch[] = [];
  // Such a fault is reported at the ports of its file.
  const isReload = reason !== undefined && instance.brokenReloads?.some(({ fault }) => fault === reason);
  // If its unit cannot start it at all, that is not a fault of its configuration.
  if (outcome === 'exits' && reason !== undefined && !isReload && instance.cannotStart === undefined) {
    const hangs = hangsAfterRefusal(instance, context);
    const portsUnknown = instance.expected.length === 0 ? { portsUnknown: true as const } : {};
    found.push(
      instanceMismatch(instance, 'config_invalid', {
        cause: hangs === undefined ? { kind: 'config', fault: reason } : { ...hangs, ...portsUnknown },
        ...(reason.at === undefined ? {} : { declaredIn: reason.at }),
      }),
    );
  }
  if (outcome === 'dynamic' && reason !== undefined)
    found.push(instanceMismatch(instance, 'config_dynamic', { cause: { kind: 'config', fault: reason } }));
  if (outcome === 'ambiguous' && reason !== undefined)
    found.push(instanceMismatch(instance, 'config_unresolved', { cause: { kind: 'config', fault: reason } }));
  for (const gap of prediction.gaps) {
    found.push(
      instanceMismatch(instance, 'config_unreadable', {
        subject: gap.subject,
        cause: {
          kind: 'unreadable',
          subject: gap.subject,
          reason: gap.reason,
          ...(gap.deniedTo === undefined ? {} : { user: gap.deniedTo }),
        },
      }),
    );
  }
  return found;
}

/** What a restart would change after an edit of files that are read only at the start, and the newest of these files. */
function pendingCause(instance: Instance): Cause {
  const { prediction, expected, basis } = instance;
  const refused = refusedNext(instance);
  const readAtStart = (listeners: readonly Listener[]) => byEndpoint(listeners.filter((l) => l.reload === undefined));
  const [now, next] = [readAtStart(expected), readAtStart(prediction.listeners)];
  const without = (these: Listener[][], those: Listener[][]) => {
    const known = new Set(those.map(([one]) => endpointKey(one!)));
    return these.flatMap(([one]) => (known.has(endpointKey(one!)) ? [] : [endpointOf(one!)]));
  };
  const files = prediction.files.filter((f) => !f.reloaded && f.mtime !== undefined);
  const newest = files.reduce<(typeof files)[number] | undefined>(
    (last, f) => (last === undefined || f.mtime! > last.mtime! ? f : last),
    undefined,
  );
  return {
    kind: 'edited-after-start',
    ...(newest === undefined ? {} : { file: newest.path }),
    // Where its start was not seen, only the files on disk are known.
    ...(basis === 'edited' ? {} : { gained: without(next, now), lost: without(now, next) }),
    ...(refused.length === 0 ? {} : { refused }),
  };
}

/** Faults of inputs that the next start would refuse and that are open now. */
function refusedNext({ prediction, expected, nextRefusals = [] }: Instance): Fault[] {
  const open = new Set(expected.filter((l) => l.refused === undefined).map(endpointKey));
  const losing = prediction.faults.filter(({ costs = [] }) =>
    costs.some((cost) => cost.reload === undefined && open.has(endpointKey(cost))),
  );
  return [...losing, ...nextRefusals].map(plainFault);
}

/** Whether its sockets differ from its files, where the exporter did not see its start. */
function holdsSomethingElse(
  instance: Instance,
  judged: { ports: PortVerdict[]; mismatches: Mismatch[] },
  context: VerdictContext,
): boolean {
  if (judged.mismatches.some((m) => m.code === 'port_missing' && m.cause.kind === 'edited-after-start')) return true;
  // Served now, and refused at the next start.
  if (judged.ports.some((port) => port.up && port.listeners.every((l) => l.refused !== undefined))) return true;
  const explained = new Set(judged.ports.map((port) => port.socket?.inode));
  return context
    .socketsOf(instance)
    .some((socket) => !explained.has(socket.inode) && isSettled(socket, instance, context));
}

function order(a: Mismatch, b: Mismatch): number {
  const byName = (a.name ?? '') < (b.name ?? '') ? -1 : (a.name ?? '') > (b.name ?? '') ? 1 : 0;
  const byCode = a.code < b.code ? -1 : a.code > b.code ? 1 : 0;
  const endpoint = (m: Mismatch) => ({
    protocol: m.protocol ?? ('udp' as const),
    address: m.address ?? '',
    port: m.port,
  });
  return bySeverity(a, b) || byCode || byName || compareEndpoints(endpoint(a), endpoint(b));
}

interface Judged {
  ports: PortVerdict[];
  pending: boolean;
  mismatches: Mismatch[];
  /** An internal error: nothing is known. */
  failed?: boolean;
}

function judge(instance: Instance, context: VerdictContext): Judged {
  const up = instance.process !== undefined;
  const judged = releaseDoubts(judgedPorts(instance, context), instance);
  const found = [
    ...judged.mismatches,
    ...configMismatches(instance, context),
    ...refusedInputs(instance, judged.ports),
    ...refutedPredictions(instance),
  ];
  // If the next start would refuse the files, a restart is no remedy.
  const unseenEdit = instance.basis === 'edited' && instance.prediction.outcome !== 'exits';
  const pending = up && (instance.pendingRestart || (unseenEdit && holdsSomethingElse(instance, judged, context)));
  if (pending) found.push(instanceMismatch(instance, 'restart_pending', { cause: pendingCause(instance) }));
  else found.push(...maybeRefused(instance));
  if (!up && !instance.hidden) found.push(instanceMismatch(instance, 'instance_down', downCauses(instance, context)));
  const frozen = frozenMismatch(instance, context);
  if (frozen !== undefined) found.push(frozen);
  if (instance.flapping) {
    found.push(
      instanceMismatch(instance, 'instance_flapping', {
        cause: { kind: 'restarts', count: instance.flapping.count, withinSeconds: instance.flapping.withinSeconds },
      }),
    );
  }
  found.push(...unexpectedSockets(instance, judged, context), ...loadMismatches(instance, judged.ports, context));
  found.push(...outputMismatches(instance), ...silentPorts(instance, judged.ports));
  found.push(...reloadFailed(instance, found, context.now));
  return { ports: judged.ports, pending, mismatches: found.map((m) => withSelfReport(m, instance)) };
}

/** An internal error costs only the verdict on the instance where it occurs. */
function failed(instance: Instance, where: string): Judged {
  const subject = `internal error (${where})`;
  const cause = { kind: 'unreadable', subject, reason: 'malformed' } as const;
  const mismatches = [instanceMismatch(instance, 'config_unreadable', { subject, cause })];
  return { ports: [], pending: false, mismatches, failed: true };
}

/** The verdict on one scan. */
export function correlate(snapshot: Snapshot, history: ScanHistory, thresholds: Thresholds): Verdict {
  const context = createVerdictContext(snapshot, history, thresholds);
  const judged = new Map<Instance, Judged>();
  for (const instance of snapshot.instances)
    judged.set(
      instance,
      containDefect(
        () => judge(instance, context),
        (where) => failed(instance, where),
      ),
    );
  const ports = new Map([...judged].map(([instance, one]) => [instance, one.ports]));
  const found = [...judged.values()].flatMap(({ mismatches }) => mismatches);
  found.push(
    ...dataPathConflicts(snapshot.instances),
    ...snapshot.instances.flatMap((instance) => lookalikeMismatch(instance, context) ?? []),
    ...conflictsBetween(ports, (i) => judged.get(i)?.pending ?? false, context),
  );
  const statics = judgeStatics(snapshot);
  found.push(...statics.mismatches);
  const mismatches = found
    .map((m) => ({ ...m, since: history.since.get(mismatchKey(m)) ?? snapshot.takenAt }))
    .sort(order);
  const byName = groupBy(mismatches, ({ name }) => name);
  return {
    instances: snapshot.instances.map((i) => instanceVerdict(i, judged.get(i)!, byName.get(i.name) ?? [])),
    mismatches,
    statics: statics.verdicts,
  };
}

function instanceVerdict(
  instance: Instance,
  { ports, pending: pendingRestart, failed = false }: Judged,
  own: readonly Mismatch[],
): InstanceVerdict {
  const up = instance.hidden ? undefined : instance.process !== undefined;
  const healthy = failed
    ? undefined
    : isHealthy(up, ports, own, (m) => severityOf(m) === 'critical', instance.truncated);
  const valid = failed ? undefined : configValid(instance);
  return {
    id: instance.id,
    ...(up === undefined ? {} : { up }),
    ...(healthy === undefined ? {} : { healthy }),
    ...(valid === undefined ? {} : { configValid: valid }),
    pendingRestart,
    ports,
  };
}
