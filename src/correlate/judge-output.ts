/**
 * Mismatches from self-reports (log and stats endpoint): about the output and silent ports. Self-reports also add causes to other
 * mismatches, but never change whether a port is up. Pure.
 */
import { endpointKey, isWildcardAddress } from '../model/endpoint.js';
import type { Instance, Mismatch, OutputSituation, PortVerdict, SelfReport } from '../model/model.js';
import { instanceMismatch } from './judge-instance.js';
import { portMismatch } from './judge-port.js';

const failing: readonly OutputSituation[] = ['down', 'refusing', 'mute'];

/** An output that fails for less may be restarting. */
const failingSeconds = 60;
/** `SelfReport.lostRecently` counts the events of this time. Seconds. */
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

/** The newest message of these kinds in its log. */
function messageOf(
  { said = {} }: SelfReport,
  kinds: readonly (keyof NonNullable<SelfReport['said']>)[],
): Pick<Mismatch, 'said'> {
  const known = kinds.flatMap((what) => (said[what] === undefined ? [] : [{ what, at: said[what] }]));
  const newest = known.sort((a, b) => b.at - a.at)[0];
  return newest === undefined ? {} : { said: newest };
}

/** Served ports that have received nothing for unusually long. While the output blocks, Filebeat reads nothing, so silence means nothing. */
export function silentPorts(instance: Instance, ports: readonly PortVerdict[]): Mismatch[] {
  const { selfReport } = instance;
  if (selfReport === undefined || selfReport.full) return [];
  return ports.flatMap((port) => {
    const silent = selfReport.listeners[endpointKey(port)]?.silent;
    if (silent === undefined || port.up !== true) return [];
    const mismatch = portMismatch(instance, port, 'port_silent', { kind: 'silent', ...silent });
    // Perhaps nothing is ever sent there.
    return [silent.never ? { ...mismatch, severity: 'info' as const } : mismatch];
  });
}

/** Releases from 8.0 on try a failed reload again within this time: the default period is 10 s. Seconds. */
const retrySeconds = 60;

/**
 * Filebeat could not load an edited file, by its log. Not reported where another mismatch of the instance (`own`) reports the fault.
 * `now`: seconds since the epoch.
 */
export function reloadFailed(instance: Instance, own: readonly Mismatch[], now: number): Mismatch[] {
  const at = instance.selfReport?.reloadFailedAt;
  if (at === undefined || instance.process === undefined) return [];
  const reloaded = instance.prediction.files.filter((file) => file.reloaded);
  const edited = Math.max(0, ...reloaded.map(({ mtime = 0 }) => mtime));
  const periods = instance.expected.flatMap(({ reload }) => (reload === undefined ? [] : [3 * reload.periodSeconds]));
  const old = now - at > Math.max(retrySeconds, ...periods);
  // Releases up to 7.17 try once and log once: the failure lasts until the files are edited again.
  const retries = !/^[67]\./.test(instance.prediction.release.version ?? '');
  if (old && (retries || edited > at)) return [];
  const reported = ['port_missing', 'input_refused', 'config_invalid'];
  if (own.some(({ code }) => reported.includes(code))) return [];
  return [instanceMismatch(instance, 'reload_failed', { cause: { kind: 'none' }, said: { what: 'reload', at } })];
}

/** A mismatch with what the instance's log and figures say about it. */
export function withSelfReport(mismatch: Mismatch, instance: Instance): Mismatch {
  const { code } = mismatch;
  const { selfReport, lastMessage } = instance;
  if (code === 'instance_down')
    return lastMessage === undefined ? mismatch : withMessage(mismatch, { what: lastMessage.why, at: lastMessage.at });
  if (code === 'drops' || code === 'queue_high') {
    const output = behindQueue(instance);
    return output === undefined ? mismatch : { ...mismatch, output };
  }
  if (selfReport === undefined) return mismatch;
  if (code !== 'port_missing' && code !== 'port_taken' && code !== 'input_refused') return mismatch;
  const said = messageAtPort(mismatch, selfReport);
  return said === undefined ? mismatch : withMessage(mismatch, said);
}

/** Why datagrams pile up. With a working output that is a burst, unless the queue was full: then the input had stopped reading. */
function behindQueue({ process, selfReport }: Instance): Mismatch['output'] {
  if (process?.halt === 'stopped' || process?.halt === 'cgroup') return 'frozen';
  if (selfReport === undefined || selfReport.output === 'unknown') return undefined;
  const { output, wasFull } = selfReport;
  return wasFull && (output === 'flowing' || output === 'idle') ? undefined : output;
}

type LogMessage = NonNullable<Mismatch['said']>;

/** Cause that the exporter found → messages of Filebeat that agree with it. Causes that are not listed agree with all. */
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
  const expected = agreeing[mismatch.cause.kind];
  const differs = expected !== undefined && !expected.includes(said.what);
  return { ...mismatch, said: { ...said, ...(differs ? { differs: true as const } : {}) } };
}

/** The newest message about the listener in its log: why a bind failed, else that the input failed. */
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
  // Messages do not tell inputs without a port apart.
  return mismatch.code === 'input_refused' ? { what: 'input', at: said.input } : undefined;
}

/** `host` as Filebeat writes it: `0.0.0.0:514`, `[::1]:514`, `:514`. */
function isAt({ address, port }: Mismatch, host: string): boolean {
  const match = /^(?:\w+:\/\/)?(.*):(\d{1,5})$/.exec(host);
  if (match === null || Number(match[2]) !== port) return false;
  const bare = match[1]!.replace(/^\[|\]$/g, '').toLowerCase();
  const isWildcard = (text = '') => text === '' || isWildcardAddress(text);
  if (isWildcard(bare)) return address === '*' || isWildcard(address);
  return address === bare || (bare === 'localhost' && (address === '127.0.0.1' || address === '::1'));
}
