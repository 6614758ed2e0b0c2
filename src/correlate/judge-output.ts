/**
 * What a Filebeat says of itself → mismatches about its output and its silent ports, and better causes for those that the kernel
 * shows. It never changes whether a port is up. Pure.
 */
import { endpointKey } from '../model/endpoint.js';
import type { Instance, Mismatch, OutputSituation, PortVerdict, SelfReport } from '../model/model.js';
import { instanceMismatch } from './judge-instance.js';
import { portMismatch } from './judge-port.js';

const failing: readonly OutputSituation[] = ['down', 'refusing', 'mute'];

/** CONTRACT 5: an output that fails for less than this may be a restart. */
const failingSeconds = 60;
const lostWindow = 300;

export function outputMismatches(instance: Instance): Mismatch[] {
  const { selfReport } = instance;
  if (selfReport === undefined || instance.process === undefined) return [];
  const { output, outputForSeconds = 0, lostRecently = 0, active, queueMax } = selfReport;
  const waiting = {
    ...(active === undefined ? {} : { waiting: active }),
    ...(queueMax === undefined ? {} : { capacity: queueMax }),
  };
  const cause = { kind: 'output' as const, situation: output, sinceSeconds: outputForSeconds, ...waiting };
  const found: Mismatch[] = [];
  if (failing.includes(output) && outputForSeconds >= failingSeconds)
    found.push({
      ...instanceMismatch(instance, 'output_failing', { cause }),
      ...saidOf(selfReport, ['output_publish', 'output_connect']),
    });
  if (output === 'slow' && selfReport.outputForSeconds !== undefined)
    found.push(instanceMismatch(instance, 'output_slow', { cause }));
  if (lostRecently > 0)
    found.push({
      ...instanceMismatch(instance, 'events_dropped', {
        cause: { kind: 'events-lost', events: lostRecently, sinceSeconds: lostWindow },
      }),
      ...saidOf(selfReport, ['output_dropped']),
    });
  return found;
}

/** The newest of these classes that its log has. */
function saidOf(
  { said = {} }: SelfReport,
  kinds: readonly (keyof NonNullable<SelfReport['said']>)[],
): Pick<Mismatch, 'said'> {
  const known = kinds.flatMap((what) => (said[what] === undefined ? [] : [{ what, at: said[what] }]));
  const newest = known.sort((a, b) => b.at - a.at)[0];
  return newest === undefined ? {} : { said: newest };
}

/** Ports that are served, and to which nothing has come for unusually long. While the output blocks nothing is read: no silence. */
export function silentPorts(instance: Instance, ports: readonly PortVerdict[]): Mismatch[] {
  const { selfReport } = instance;
  if (selfReport === undefined || selfReport.full) return [];
  return ports.flatMap((port) => {
    const silent = selfReport.listeners[endpointKey(port)]?.silent;
    if (silent === undefined || port.up !== true) return [];
    const mismatch = portMismatch(instance, port, 'port_silent', { kind: 'silent', ...silent });
    // Nobody knows whether anything was ever meant to come.
    return [silent.never ? { ...mismatch, severity: 'info' as const } : mismatch];
  });
}

/** Seconds within which a failed reload is tried again by releases from 8.0 on: the period is 10 s unless set. */
const retried = 60;

/** Filebeat could not load what is on disk. `now`: seconds since the epoch. Where a port of it says so itself, that is enough. */
export function reloadFailed(instance: Instance, own: readonly Mismatch[], now: number): Mismatch[] {
  const at = instance.selfReport?.reloadFailedAt;
  if (at === undefined || instance.process === undefined) return [];
  const reloaded = instance.prediction.files.filter((file) => file.reloaded);
  const edited = Math.max(0, ...reloaded.map(({ mtime = 0 }) => mtime));
  const periods = instance.expected.flatMap(({ reload }) => (reload === undefined ? [] : [3 * reload.periodSeconds]));
  const old = now - at > Math.max(retried, ...periods);
  // Up to 7.17 it is tried once, and said once: it stands until somebody edits the files again.
  const retries = !/^[67]\./.test(instance.prediction.release.version ?? '');
  if (old && (retries || edited > at)) return [];
  const told = ['port_missing', 'input_refused', 'config_invalid'];
  if (own.some(({ code }) => told.includes(code))) return [];
  return [instanceMismatch(instance, 'reload_failed', { cause: { kind: 'none' }, said: { what: 'reload', at } })];
}

/** What its own words and figures add to a mismatch that the kernel shows. */
export function withOwnWords(mismatch: Mismatch, { selfReport }: Instance): Mismatch {
  if (selfReport === undefined) return mismatch;
  const { code, port } = mismatch;
  if ((code === 'drops' || code === 'queue_high') && selfReport.output !== 'unknown')
    return { ...mismatch, output: selfReport.output };
  if (code !== 'port_missing' && code !== 'port_taken' && code !== 'input_refused') return mismatch;
  const binds = Object.entries(selfReport.binds ?? {}).filter(([address]) => address.endsWith(`:${port}`));
  const newest = binds.sort(([, a], [, b]) => b.at - a.at)[0]?.[1];
  return newest === undefined ? mismatch : { ...mismatch, said: { what: newest.reason, at: newest.at } };
}
