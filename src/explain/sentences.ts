/** The sentences of `explain`. Pure. Of a configuration's values they show only hosts and ports of listeners. */
import { faultText } from '../filebeat/faults.js';
import { applies, type ReleaseVersion } from '../filebeat/releases/releases.js';
import { isWildcardAddress } from '../model/endpoint.js';
import { lossesOf } from '../model/expected.js';
import type {
  BindRetry,
  ConfigFile,
  Fault,
  Listener,
  Prediction,
  Release,
  ReleaseOutcome,
  Target,
} from '../model/model.js';
import { invalidClauses, unresolvedClauses } from '../words/listener-faults.js';
import { endpointText, ownerText, positionText } from '../words/locations.js';
import type { Collision, Comparison, ExplainedListener, Explanation } from './explained.js';
import type { Race } from './races.js';

export { faultRemedy } from '../filebeat/fault-remedies.js';
export { faultText } from '../filebeat/faults.js';

const outcomes: Record<Prediction['outcome'], string> = {
  runs: 'would run',
  exits: 'would not start',
  dynamic: 'would run, with inputs that come from elsewhere',
  ambiguous: 'not known: Filebeat itself decides by chance',
  unknown: 'not known: not everything could be read',
};

export function outcomeText({ outcome, reason }: Pick<Prediction, 'outcome' | 'reason'>): string {
  return reason?.code === 'release-decides' ? 'not known: it depends on the release' : outcomes[outcome];
}

/** `9.0 and newer would not start: … (/etc/filebeat/filebeat.yml:5)`. Each known release is the newest of its minor line. */
export function releaseOutcomeText(
  { from, to, prediction }: ReleaseOutcome,
  isNewest: boolean,
  isOldest: boolean,
): string {
  const line = (release: string) => release.split('.').slice(0, 2).join('.');
  const range = isNewest
    ? `${line(from)} and newer`
    : isOldest
      ? `${line(to)} and older`
      : line(from) === line(to)
        ? line(from)
        : `${line(from)} to ${line(to)}`;
  const { reason, listeners } = prediction;
  if (prediction.outcome !== 'runs')
    return `${range} ${outcomeText(prediction)}${reason === undefined ? '' : `: ${placedFault(reason)}`}`;
  const [loss] = lossesOf(prediction);
  const opens = listeners.length === 1 ? '1 listener' : `${listeners.length} listeners`;
  return `${range} would run with ${opens}${loss === undefined ? '' : `, but without a part of its configuration: ${placedFault(loss)}`}`;
}

/** `The variable UDP_PORT is not defined. (/etc/filebeat/filebeat.yml:7)` */
export function placedFault(fault: Fault): string {
  const where = positionText(fault.at);
  const text = faultText(fault);
  return where === '' || text.includes(where) ? text : `${text} (${where})`;
}

const sources: Record<Exclude<Release['source'], 'assumed'>, string> = {
  readme: 'README.md in its home says so',
  package: 'the package database says so',
  option: '--filebeat-release',
  hint: 'a guess from its home',
  remembered: 'as last seen',
};

export function releaseText({ version, source }: Release): string {
  if (version === undefined || source === 'assumed')
    return 'not known from its files; the rules of the newest release are assumed (--filebeat-release overrides)';
  return `${version} (${sources[source]})`;
}

const roles: Record<ConfigFile['role'], string> = {
  main: 'main file',
  inputs: 'inputs',
  modules: 'modules',
  manifest: 'fileset',
  keystore: 'keystore, only its first two bytes are read',
  unit: 'unit',
};

export function fileText({ role, reloaded, mtime }: ConfigFile): string {
  return [roles[role], reloaded ? 'reloaded' : '', mtime === undefined ? 'missing or not readable' : '']
    .filter((part) => part !== '')
    .join(', ');
}

/** Why a listener is not one known socket; undefined if it is. */
export function whyText({ target }: Listener): string | undefined {
  switch (target.kind) {
    case 'socket':
      return undefined;
    case 'random':
      return 'no port is configured, so the kernel picks another one at each start';
    case 'name':
      return 'the name is not in the hosts file, so a name server decides which address it becomes';
    case 'unresolved':
      return unresolvedClauses[target.why];
    case 'invalid':
      return `${invalidClauses[target.why]}; it is never bound, and Filebeat runs on without it`;
  }
}

/** `*:9000`; `?` if nothing is known. */
export function listenerText({ address, port, target }: Listener): string {
  if (target.kind === 'unresolved' && address === '') return '?';
  // Text that is not an address is shown as it was written.
  if (target.kind === 'invalid' && port === undefined && address !== '') return address;
  return endpointText(address === '' ? '?' : address, port);
}

const families = { ipv4: 'IPv4 only', ipv6: 'IPv6 only', any: 'IPv4 and IPv6' } as const;

/** The row in the kernel's socket tables: `udp6 [::]:9000 (IPv4 and IPv6)`. */
export function socketText({ protocol, target }: Listener): string | undefined {
  if (target.kind === 'name') return `a ${protocol} socket on port ${target.port}`;
  if (target.kind !== 'socket' && target.kind !== 'random') return undefined;
  const row = `${tableOf(protocol, target)} ${endpointText(target.address, target.kind === 'random' ? 0 : target.port)}`;
  if (target.reuse) return `${row} (multicast: other sockets may bind it too)`;
  return isWildcardAddress(target.address) ? `${row} (${reach(target)})` : row;
}

export function tableOf(protocol: string, { family }: { family: 4 | 6 }): string {
  return family === 6 ? `${protocol}6` : protocol;
}

/** `0.0.0.0` serves both families: Go's listener for `udp` opens one dual-stack socket. */
function reach(target: Extract<Target, { kind: 'socket' | 'random' }>): string {
  return target.family === 6 && target.serves === 'ipv4' ? families.any : families[target.serves];
}

const retries: Record<BindRetry, string> = {
  never: 'one attempt; then no socket until a restart',
  busy: 'tries again without a pause until the port is free, which keeps a whole core busy',
  'every-10s': 'tries again every 10 seconds',
  deaf: 'tries again every 10 seconds, but then discards everything it receives until a restart',
};

/** The stats endpoint, for releases that do not start without it. */
export function isVital({ input }: Listener, release: ReleaseVersion): boolean {
  return input === 'http' && applies('http-must-bind', release);
}

/** What happens if the port is taken at the start; undefined for a listener that is never bound. */
export function ifTakenText(listener: Listener, release: ReleaseVersion): string | undefined {
  const { input, retry, reload, target } = listener;
  if (target.kind === 'invalid' || target.kind === 'unresolved') return undefined;
  if (isVital(listener, release)) return 'Filebeat does not start';
  if (retry !== 'never') return retries[retry];
  const later = reload === undefined ? retries.never : `${retries.never} or an edit of its entry`;
  const crashes = input === 'udp' && !applies('no-crash-after-failed-bind', release);
  return crashes ? `${later}; stopping or reloading it then crashes the whole process` : later;
}

export function reloadText({ reload }: Listener): string | undefined {
  if (reload === undefined) return undefined;
  const text = `its file is read every ${reload.periodSeconds} s, for the first time one period after the start`;
  return reload.losesPort ? `${text}; this release usually loses the port when the entry is edited` : text;
}

export function raceText({ input, declaredIn, over, winner }: Race): string {
  const other = `${input} in ${positionText(declaredIn)}`;
  if (over === 'id') return `${other} has the same id: this release starts only one of them, and which one is chance`;
  if (winner === 'this') return `${other} declares the same endpoint and is bound second: it gets no socket`;
  if (winner === 'other') return `${other} declares the same endpoint and is bound first: this one gets no socket`;
  return `${other} declares the same endpoint: only one of them gets it, and which one is chance`;
}

export function collisionText({ bound, instance, declaredIn }: Collision): string {
  const position = declaredIn === undefined ? '' : ` (${positionText(declaredIn)})`;
  if (bound === undefined) return `the instance “${instance}” declares it too${position}`;
  const { owner, uid, address, port } = bound;
  const who = owner === undefined ? `a process of uid ${uid} that is not visible` : ownerText(owner);
  const which = instance === undefined ? '' : `, the instance “${instance}”${position}`;
  return `${endpointText(address, port)} is bound by ${who}${which}`;
}

/** One line about a whole Filebeat: `3 listeners, 1 unresolved`. */
export function countText({ listeners }: Explanation): string {
  const count = (what: string, test: (one: ExplainedListener) => boolean) => {
    const number = listeners.filter(test).length;
    return number === 0 ? [] : [`${number} ${what}`];
  };
  if (listeners.length === 0) return 'it opens no socket that this exporter knows about';
  return [
    listeners.length === 1 ? '1 listener' : `${listeners.length} listeners`,
    ...count('unresolved', (one) => one.status === 'unresolved'),
    ...count('on a random port', (one) => one.status === 'random'),
    ...count('that can never be bound', (one) => one.status === 'invalid'),
    ...count('in conflict with each other', (one) => one.races.length > 0),
    ...count('on an address that this host does not have', (one) => one.onHost === false),
    ...count('that would collide on this host', (one) => (one.collisions?.length ?? 0) > 0),
  ].join(', ');
}

/** The result of a comparison in one sentence. */
export function answerText({ before, after, answer, release, lost, gained, moved, clashing }: Comparison): string {
  if (after === undefined) return 'not known: it is only remembered, there are no files to read';
  if (answer === 'unknown') return 'not known';
  const starts = after.outcome !== 'exits';
  if (before.outcome === 'exits')
    return starts
      ? `would start under ${release}, but not under the present release`
      : `would start neither under the present release nor under ${release}`;
  if (!starts) return `would not start under ${release}`;
  if (answer === 'same') return 'nothing changes for its listeners';
  const parts = [
    [lost.length, 'lost'],
    [gained.length, 'gained'],
    [moved.length, 'moved'],
    [clashing.length, 'in conflict with each other'],
  ] as const;
  const changes = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `would start; listeners: ${changes.join(', ')}`;
}
