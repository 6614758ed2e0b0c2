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
      ...messageOf(selfReport, ['output_publish', 'output_connect']),
    });
  if (output === 'slow' && selfReport.outputForSeconds !== undefined)
    found.push(instanceMismatch(instance, 'output_slow', { cause }));
  if (lostRecently > 0)
    found.push({
      ...instanceMismatch(instance, 'events_dropped', {
        cause: { kind: 'events-lost', events: lostRecently, sinceSeconds: lostWindow },
      }),
      ...messageOf(selfReport, ['output_dropped']),
    });
  return found;
}

/** The newest of these classes that its log has. */
function messageOf(
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

/** What its own words and figures add to a mismatch that the kernel or the files show. */
export function withOwnWords(mismatch: Mismatch, instance: Instance): Mismatch {
  const { code } = mismatch;
  const { selfReport, lastWords } = instance;
  if (code === 'instance_down')
    return lastWords === undefined ? mismatch : withMessage(mismatch, { what: lastWords.why, at: lastWords.at });
  if (code === 'drops' || code === 'queue_high') {
    const output = behindQueue(instance);
    return output === undefined ? mismatch : { ...mismatch, output };
  }
  if (selfReport === undefined) return mismatch;
  if (code !== 'port_missing' && code !== 'port_taken' && code !== 'input_refused') return mismatch;
  const said = messageAtPort(mismatch, selfReport);
  return said === undefined ? mismatch : withMessage(mismatch, said);
}

/** Why datagrams pile up. A burst is one only where the queue was not full: else the input had stopped reading. */
function behindQueue({ process, selfReport }: Instance): Mismatch['output'] {
  if (process?.halt === 'stopped' || process?.halt === 'cgroup') return 'frozen';
  if (selfReport === undefined || selfReport.output === 'unknown') return undefined;
  const { output, wasFull } = selfReport;
  return wasFull && (output === 'flowing' || output === 'idle') ? undefined : output;
}

type LogMessage = NonNullable<Mismatch['said']>;

/** What the exporter sees itself → what Filebeat says where that is why. What is not here fits everything. */
const agreeing: Partial<Record<Mismatch['cause']['kind'], readonly LogMessage['what'][]>> = {
  'held-by': ['in-use', 'input'],
  'shared-with': ['in-use', 'input'],
  'other-listener': ['in-use', 'input'],
  'same-id': ['in-use', 'input'],
  'privileged-port': ['denied', 'input'],
  'address-not-local': ['no-address', 'input'],
  'endpoint-held': ['in-use'],
  'data-locked': ['locked'],
  config: ['config', 'input', 'module', 'output', 'exit'],
};

function withMessage(mismatch: Mismatch, said: LogMessage): Mismatch {
  const fitting = agreeing[mismatch.cause.kind];
  const differs = fitting !== undefined && !fitting.includes(said.what);
  return { ...mismatch, said: { ...said, ...(differs ? { differs: true as const } : {}) } };
}

/** The newest of what its log says of the listener: why a bind failed, else that the input failed. */
function messageAtPort(
  mismatch: Mismatch,
  { binds = {}, failedInputs = {}, said = {} }: SelfReport,
): LogMessage | undefined {
  const bound = Object.entries(binds).flatMap(([key, { reason, at }]): LogMessage[] => {
    const [protocol, host = ''] = key.split(' ');
    return protocol === mismatch.protocol && isAt(mismatch, host) ? [{ what: reason, at }] : [];
  });
  const failed = Object.entries(failedInputs).flatMap(([host, at]): LogMessage[] =>
    isAt(mismatch, host) ? [{ what: 'input', at }] : [],
  );
  const newest = (all: LogMessage[]) => all.sort((a, b) => b.at - a.at)[0];
  const found = newest(bound) ?? newest(failed);
  if (found !== undefined || mismatch.port !== undefined || said.input === undefined) return found;
  // Of an input without a port no line can be told from another.
  return mismatch.code === 'input_refused' ? { what: 'input', at: said.input } : undefined;
}

/** `host` as Filebeat writes it: `0.0.0.0:514`, `[::1]:514`, `:514`. */
function isAt({ address, port }: Mismatch, host: string): boolean {
  const match = /^(?:\w+:\/\/)?(.*):(\d{1,5})$/.exec(host);
  if (match === null || Number(match[2]) !== port) return false;
  const bare = match[1]!.replace(/^\[|\]$/g, '').toLowerCase();
  const wildcards = ['', '0.0.0.0', '::'];
  if (wildcards.includes(bare)) return address === '*' || wildcards.includes(address ?? '');
  return address === bare || (bare === 'localhost' && (address === '127.0.0.1' || address === '::1'));
}
