/**
 * A Report as one line and one exit code. State words, performance data and exit codes follow the guidelines of the
 * monitoring plugins (https://www.monitoring-plugins.org/doc/guidelines.html).
 */
import { severityOf } from '../../model/mismatches.js';
import type { MismatchCode, Report } from '../../model/model.js';
import { grouped, plural } from '../format.js';
import { type Counts, countAll, unknownIn } from '../view.js';

/** Exit code of a monitoring plugin. */
export type ExitCode = 0 | 1 | 2 | 3;

export const stateWords: Record<ExitCode, string> = { 0: 'OK', 1: 'WARNING', 2: 'CRITICAL', 3: 'UNKNOWN' };

/** The worst of critical, unknown and warning. Info does not count, and a host without any Filebeat is OK. */
export function exitCode(report: Report, counts = countAll(report)): ExitCode {
  const { critical, unknown, any } = ofNewcomers(report);
  if (counts.severities.critical > critical) return 2;
  if (!report.snapshot.usable || counts.unknown > unknown) return 3;
  return counts.severities.warning > 0 || any ? 1 : 0;
}

/** Critical mismatches and unknown verdicts of Filebeats that an ordinary user has just started: they count as a warning at most. */
function ofNewcomers(report: Report): { critical: number; unknown: number; any: boolean } {
  const { instances } = report.snapshot;
  const names = new Set(instances.filter(({ newcomer }) => newcomer).map(({ name }) => name));
  if (names.size === 0) return { critical: 0, unknown: 0, any: false };
  const theirs = report.verdict.mismatches.filter((m) => names.has(m.name ?? '') && severityOf(m) === 'critical');
  const verdicts = report.verdict.instances.filter((_, at) => names.has(instances[at]!.name));
  const unknown = verdicts.reduce((sum, one) => sum + unknownIn(one), 0);
  return { critical: theirs.length, unknown, any: theirs.length + unknown > 0 };
}

/** `2 of 15 instances down, 3 of 42 ports not served`. */
export function summary(report: Report, counts = countAll(report)): string {
  if (!report.snapshot.usable) return 'the scan failed';
  if (counts.instances === 0 && counts.ports === 0)
    return counts.gaps === 0
      ? 'no Filebeat runs here and none is expected'
      : `no Filebeat is known to run or to be expected here, but ${plural(counts.gaps, 'thing')} could not be seen`;
  const parts = [
    counts.instancesDown === 0
      ? plural(counts.instances, 'instance')
      : `${grouped(counts.instancesDown)} of ${plural(counts.instances, 'instance')} down`,
    counts.portsDown === 0
      ? `${plural(counts.ports, 'port')}${counts.portsUp === counts.ports && counts.ports > 0 ? ' served' : ''}`
      : `${grouped(counts.portsDown)} of ${plural(counts.ports, 'port')} not served`,
  ];
  if (counts.portsStarting > 0) parts.push(`${grouped(counts.portsStarting)} starting`);
  const count = (code: MismatchCode) =>
    report.verdict.mismatches.filter((one) => one.code === code && severityOf(one) !== 'info').length;
  const [failing, silent] = [count('output_failing'), count('port_silent')];
  if (failing > 0) parts.push(`${plural(failing, 'output')} failing`);
  if (silent > 0) parts.push(`${plural(silent, 'port')} silent`);
  if (counts.severities.critical > failing && counts.instancesDown + counts.portsDown === 0)
    parts.push(plural(counts.severities.critical, 'critical mismatch', 'critical mismatches'));
  if (counts.unknown > 0) parts.push(`${grouped(counts.unknown)} could not be judged`);
  if (counts.severities.warning > 0) parts.push(plural(counts.severities.warning, 'warning'));
  return parts.join(', ');
}

/** Performance data for graphs: `label=value;warn;crit;min;max`. */
export function perfdata(counts: Counts): string {
  return [
    `instances_up=${counts.instancesUp};;;0;${counts.instances}`,
    `ports_up=${counts.portsUp};;;0;${counts.ports}`,
    `critical=${counts.severities.critical};;;0`,
    `warning=${counts.severities.warning};;;0`,
    `unknown=${counts.unknown};;;0`,
    `gaps=${counts.gaps};;;0`,
  ].join(' ');
}
