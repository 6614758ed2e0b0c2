/** Compares expected alerts with those that Prometheus has recorded. Pure. */
import type { Series } from './servers.js';

/** One fault and its expected alerts. Times in seconds since the epoch. */
export interface Fault {
  /** The action: `kill -9 of a Filebeat`. */
  what: string;
  /** The exporter that reports it; absent: none. */
  instance?: string;
  /** Alert → its required labels. */
  alerts: Record<string, Record<string, string>>;
  brokenAt: number;
  mendedAt: number;
  /** When its last alert ended in Prometheus. */
  quietAt: number;
}

const agrees = (labels: Record<string, string>, wanted: Record<string, string>) =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value);

const subjectOf = ({ instance }: Fault) => (instance === undefined ? {} : { instance });

/** `series`: ALERTS{alertstate="firing"} of one set of rules over the whole run. Returns one sentence for each error. */
export function complaints(series: readonly Series[], faults: readonly Fault[]): string[] {
  const firings = series.map(({ metric, values }) => ({ labels: metric, times: values.map(([time]) => time) }));
  const during = (times: number[], { brokenAt, quietAt }: Fault) => times.some((t) => t >= brokenAt && t <= quietAt);
  const missing = faults.flatMap((fault) =>
    Object.entries(fault.alerts).flatMap(([alertname, labels]) => {
      const wanted = { alertname, ...subjectOf(fault), ...labels };
      const fired = firings.some((f) => agrees(f.labels, wanted) && during(f.times, fault));
      return fired ? [] : [`${fault.what}: ${alertname} did not fire`];
    }),
  );
  const isExplained = (labels: Record<string, string>, time: number) =>
    faults.some(
      (fault) =>
        time >= fault.brokenAt &&
        time <= fault.quietAt &&
        labels['alertname']! in fault.alerts &&
        agrees(labels, { ...subjectOf(fault), ...fault.alerts[labels['alertname']!] }),
    );
  const unexplained = firings.flatMap(({ labels, times }) => {
    const at = times.find((time) => !isExplained(labels, time));
    const { alertname, instance = '', name = '', port = '' } = labels;
    return at === undefined ? [] : [`${alertname} fired without a cause: ${instance} ${name} ${port}`.trim()];
  });
  return [...missing, ...unexplained];
}
