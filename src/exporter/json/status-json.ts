/** `/api/v1/status`: a Report as JSON, field by field, so that an internal rename cannot change the API. */
import { endpointKey } from '../../model/endpoint.js';
import { lastSeenOf, sureStart } from '../../model/instance-rules.js';
import type {
  Changes,
  Entry,
  History,
  Identity,
  Owner,
  PortTrack,
  Report,
  SelfReport,
  StaticPortVerdict,
} from '../../model/model.js';
import { stretches } from '../../report/history.js';
import { entriesOf, isFailure } from '../../report/journal.js';
import { entryText } from '../../words/entry.js';
import { positionText } from '../../words/words.js';
import { type InstanceView, instanceViews, mismatchView, namespaceText, ownSocket } from '../view.js';
import { gapJson } from './gap-json.js';

function instanceJson(report: Report, { instance, verdict }: InstanceView) {
  const { process, prediction } = instance;
  return {
    name: instance.name,
    config: instance.config,
    pid: process?.pid ?? null,
    up: verdict.up ?? null,
    healthy: verdict.healthy ?? null,
    origin: instance.origins[0] ?? null,
    origins: instance.origins,
    unit: instance.unit ?? null,
    container: instance.container ?? null,
    ordinary_user: instance.account ?? null,
    identity: identityJson(instance.identity),
    network_namespace: namespaceText(report, instance) || null,
    version: prediction.release.version ?? null,
    executable: process?.executable ?? null,
    executable_replaced: process?.executableDeleted ?? null,
    paths: {
      home: prediction.paths.home,
      config: prediction.paths.config,
      data: prediction.paths.data,
      logs: prediction.paths.logs,
    },
    start_time: sureStart(process) ?? null,
    last_seen: lastSeenOf(instance, report.snapshot.takenAt) ?? null,
    restarts: instance.restarts,
    last_end: instance.lastEnd ?? null,
    config_valid: verdict.configValid ?? null,
    config_pending_restart: verdict.pendingRestart,
    cpu_seconds: process?.cpuSeconds ?? null,
    resident_bytes: process?.residentBytes ?? null,
    open_fds: process?.openFds ?? null,
    max_fds: process?.maxFds ?? null,
    self_report: selfReportJson(instance.selfReport),
    files: prediction.files.map((file) => ({
      path: file.path,
      role: file.role,
      modified: file.mtime ?? null,
      reloaded: file.reloaded,
    })),
  };
}

/** Why the process counts as this instance, and which other instance it imitates without being it. */
function identityJson(identity: Identity | undefined) {
  if (identity === undefined) return null;
  return {
    claim: identity.claim ?? null,
    outside_unit: identity.outsideUnit ?? false,
    imitates: identity.imitates?.name ?? null,
    differs: identity.imitates?.differs ?? null,
  };
}

/** Null without a source. */
function selfReportJson(report: SelfReport | undefined) {
  if (report === undefined) return null;
  const { counts } = report;
  return {
    source: report.source,
    success: report.success,
    at: report.at ?? null,
    output: report.output,
    output_for_seconds: report.outputForSeconds ?? null,
    output_type: report.outputType ?? null,
    active_events: report.active ?? null,
    queue_max_events: report.queueMax ?? null,
    last_ack: report.lastAck ?? null,
    events: counts?.events ?? null,
    filtered: counts?.filtered ?? null,
    acked: counts?.acked ?? null,
    duplicate: counts?.duplicate ?? null,
    dead_letter: counts?.deadLetter ?? null,
    dropped: counts?.dropped ?? null,
    log_errors: report.logErrors ?? null,
  };
}

const ownerJson = (owner: Owner) => ({ pid: owner.pid, process: owner.comm });

function portsJson({ instance, verdict }: InstanceView) {
  return verdict.ports.map((port) => {
    const socket = ownSocket(port);
    return {
      name: instance.name,
      config: instance.config,
      pid: instance.process?.pid ?? null,
      protocol: port.protocol,
      address: port.address,
      port: port.port ?? null,
      input: port.input,
      up: port.up ?? null,
      status: port.status,
      declared_in: positionText(port.listeners[0]?.declaredIn),
      declarations: port.listeners.map((listener) => positionText(listener.declaredIn)),
      owners: (port.socket?.owners ?? []).map(ownerJson),
      drops: port.dropsTotal ?? null,
      received: instance.selfReport?.listeners[endpointKey(port)]?.received ?? null,
      last_arrival: instance.selfReport?.listeners[endpointKey(port)]?.lastArrival ?? null,
      receive_queue_bytes: socket?.receiveQueue ?? null,
      receive_buffer_bytes: (socket === undefined ? undefined : port.receiveBuffer) ?? null,
    };
  });
}

function mismatchesJson(report: Report) {
  return report.verdict.mismatches.map((mismatch) => {
    const view = mismatchView(mismatch);
    return {
      code: mismatch.code,
      severity: view.severity,
      title: view.title,
      name: mismatch.name ?? null,
      config: mismatch.config ?? null,
      pid: mismatch.pid ?? null,
      protocol: mismatch.protocol ?? null,
      address: mismatch.address ?? null,
      port: mismatch.port ?? null,
      input: mismatch.input ?? null,
      unit: mismatch.unit ?? null,
      subject: mismatch.subject ?? null,
      expected: view.expected,
      seen: view.seen,
      cause: view.cause,
      evidence: view.evidence,
      remedy: view.remedy,
      command: view.command ?? null,
      declared_in: positionText(mismatch.declaredIn),
      since: mismatch.since ?? null,
    };
  });
}

const staticJson = (port: StaticPortVerdict) => ({
  protocol: port.protocol,
  address: port.address ?? '*',
  port: port.port,
  process: port.process ?? null,
  up: port.up,
  sockets: port.sockets,
  owners: port.owner === undefined ? [] : [ownerJson(port.owner)],
});

const entryJson = (entry: Entry) => ({
  at: entry.at,
  event: entry.kind,
  failure: isFailure(entry),
  name: entry.name ?? null,
  pid: entry.pid ?? null,
  ports: (entry.ports ?? []).map(({ protocol, address, port }) => ({ protocol, address, port: port ?? null })),
  count: entry.count ?? null,
  text: entryText(entry),
});

/** `[seconds since the epoch, value]` for each change of the value. */
function changesJson(changes: Changes, history: History) {
  return stretches(changes, history).map(([from, , value]) => [history.times[from - history.first] ?? null, value]);
}

/** Changes hold pairs: a track with one pair has one value. */
const isConstant = ({ up, drops, queue }: PortTrack): boolean =>
  up.length === 2 && drops.length === 2 && queue.length === 2;

/** Ports without a change are omitted: `ports` has their state. */
function historyJson({ history }: Report, views: readonly InstanceView[]) {
  if (history === undefined) return { samples: [], instances: [], ports: [] };
  return {
    samples: history.times,
    instances: views.map(({ instance }) => ({
      name: instance.name,
      up: changesJson(history.instances[instance.id]?.up ?? [], history),
    })),
    ports: views.flatMap(({ instance, verdict }) =>
      verdict.ports.flatMap((port) => {
        const track = history.ports[instance.id]?.[endpointKey(port)];
        if (track === undefined || isConstant(track)) return [];
        return {
          name: instance.name,
          protocol: port.protocol,
          address: port.address,
          port: port.port ?? null,
          up: changesJson(track.up, history),
          drops: changesJson(track.drops, history),
          queue_eighths: changesJson(track.queue, history),
        };
      }),
    ),
  };
}

/** The API document. Times are seconds since the epoch. An unknown value is null, never omitted. */
export function statusDocument(report: Report, version: string) {
  const { snapshot, verdict } = report;
  const views = instanceViews(report);
  return {
    version,
    scanned_at: snapshot.takenAt,
    duration_seconds: snapshot.durationSeconds,
    usable: snapshot.usable,
    stale: report.stale ?? false,
    host: {
      hostname: snapshot.host.hostname,
      boot_time: snapshot.host.bootTime ?? null,
      ipv6: snapshot.host.ipv6,
      rmem_max_bytes: snapshot.host.rmemMax ?? null,
      rmem_default_bytes: snapshot.host.rmemDefault ?? null,
    },
    instances: views.map((view) => instanceJson(report, view)),
    ports: views.flatMap(portsJson),
    static_ports: verdict.statics.map(staticJson),
    mismatches: mismatchesJson(report),
    network_namespaces: snapshot.namespaces.map(({ netns, host, counters }) => ({
      network_namespace: host ? 'host' : String(netns),
      in_datagrams: counters?.inDatagrams ?? null,
      no_ports: counters?.noPorts ?? null,
      in_errors: counters?.inErrors ?? null,
      receive_buffer_errors: counters?.receiveBufferErrors ?? null,
    })),
    gaps: snapshot.gaps.map(gapJson),
    journal: report.journal === undefined ? [] : entriesOf(report.journal).map(entryJson),
    history: historyJson(report, views),
  };
}

export type StatusDocument = ReturnType<typeof statusDocument>;
