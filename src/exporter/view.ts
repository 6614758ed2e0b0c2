/** Shared by all views of a Report: instances with their verdicts, mismatches with their words, the counts of the summary. Pure. */
import { netnsOf } from '../model/instance-rules.js';
import { severityOf, mismatches as table } from '../model/mismatches.js';
import type {
  Instance,
  InstanceVerdict,
  Mismatch,
  Owner,
  PortStatus,
  PortVerdict,
  Report,
  Severity,
} from '../model/model.js';
import { type Words, words } from '../words/words.js';

export interface InstanceView {
  instance: Instance;
  verdict: InstanceVerdict;
}

export interface MismatchView extends Words {
  mismatch: Mismatch;
  severity: Severity;
  title: string;
  meaning: string;
}

export interface Counts {
  instances: number;
  instancesUp: number;
  instancesDown: number;
  /** Expected ports of all instances, and plain ports. */
  ports: number;
  portsUp: number;
  /** Not served; without those of a process that has just started. */
  portsDown: number;
  portsStarting: number;
  /** Instances and ports that could not be judged. */
  unknown: number;
  severities: Record<Severity, number>;
  gaps: number;
}

export function instanceViews(report: Report): InstanceView[] {
  return report.snapshot.instances.map((instance, i) => ({ instance, verdict: report.verdict.instances[i]! }));
}

/** `odd`: neither known to be served nor known to be down. */
export type PortTone = 'ok' | 'odd' | 'bad';

const uncertain: readonly PortStatus[] = ['starting', 'unknown', 'unresolved', 'owner_hidden', 'narrower'];

/** The tone in which views show a port. */
export function portTone(status: PortStatus): PortTone {
  return status === 'listening' ? 'ok' : uncertain.includes(status) ? 'odd' : 'bad';
}

/** The state of an instance as one word. Tone `odd`: neither healthy nor known to be unhealthy. */
export function instanceState({ verdict }: InstanceView): { word: string; tone: 'ok' | 'odd' | 'bad' } {
  if (verdict.up === undefined) return { word: 'unknown', tone: 'odd' };
  if (!verdict.up) return { word: 'down', tone: 'bad' };
  if (verdict.healthy !== false) return { word: 'up', tone: 'ok' };
  const down = verdict.ports.some((port) => port.up === false && port.status !== 'starting');
  const starting = verdict.ports.some((port) => port.status === 'starting');
  return starting && !down ? { word: 'starting', tone: 'odd' } : { word: 'in trouble', tone: 'bad' };
}

export function mismatchView(mismatch: Mismatch): MismatchView {
  const { title, meaning } = table[mismatch.code];
  return { mismatch, severity: severityOf(mismatch), title, meaning, ...words(mismatch) };
}

/** The process that holds a port, the one with the lowest pid of several. Undefined: none, or not visible. */
export function ownerOf(port: PortVerdict): Owner | undefined {
  const owners = port.socket?.owners ?? [];
  return owners.reduce<Owner | undefined>((low, o) => (low === undefined || o.pid < low.pid ? o : low), undefined);
}

/** The port's own socket, whose queue and buffer count for it; not the socket of another process that holds the endpoint. */
export function ownSocket(port: PortVerdict): PortVerdict['socket'] {
  return port.up === true || port.status === 'deaf' ? port.socket : undefined;
}

/** `host` or the inode of the namespace; empty if unknown. */
export function namespaceText(report: Report, instance: Instance): string {
  const netns = netnsOf(instance);
  if (instance.process?.hostNetns === true) return 'host';
  if (netns === undefined) return '';
  return report.snapshot.namespaces.some((n) => n.host && n.netns === netns) ? 'host' : String(netns);
}

/** Number of ports, and of the instance itself, that could not be judged. A truncated instance is not judged as a whole. */
export function unknownIn({ up, healthy, ports }: InstanceVerdict): number {
  const undecided = ports.filter((port) => port.up === undefined && port.status !== 'starting').length;
  return undecided + Number(up === undefined || (up && healthy === undefined));
}

export function countAll(report: Report): Counts {
  const { snapshot, verdict } = report;
  const counts: Counts = {
    instances: verdict.instances.length,
    instancesUp: 0,
    instancesDown: 0,
    ports: verdict.statics.length,
    portsUp: 0,
    portsDown: 0,
    portsStarting: 0,
    unknown: 0,
    severities: { critical: 0, warning: 0, info: 0 },
    gaps: snapshot.gaps.length,
  };
  for (const instance of verdict.instances) {
    if (instance.up) counts.instancesUp++;
    else if (instance.up === false) counts.instancesDown++;
    counts.unknown += unknownIn(instance);
    counts.ports += instance.ports.length;
    for (const port of instance.ports) {
      if (port.up) counts.portsUp++;
      else if (port.status === 'starting') counts.portsStarting++;
      else if (port.up === false) counts.portsDown++;
    }
  }
  for (const port of verdict.statics) {
    if (port.up) counts.portsUp++;
    else counts.portsDown++;
  }
  for (const mismatch of verdict.mismatches) counts.severities[severityOf(mismatch)]++;
  return counts;
}
