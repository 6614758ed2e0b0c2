/** The sentences of `explain`. Pure; never a configuration's value but hosts and ports of listeners. */
import { faultText } from '../filebeat/faults.js';
import { applies, type ReleaseVersion } from '../filebeat/releases/releases.js';
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
import { endpointText, positionText } from '../words/locations.js';
import type { Collision, Comparison, ExplainedListener, Explanation } from './explained.js';
import type { Race } from './races.js';

export { faultRemedy } from '../filebeat/fault-remedies.js';
export { faultText } from '../filebeat/faults.js';

const outcomes: Record<Prediction['outcome'], string> = {
  runs: 'would run',
  exits: 'would not start',
  dynamic: 'would run, with inputs that come from elsewhere',
  ambiguous: 'cannot be told: Filebeat itself decides by chance',
  unknown: 'cannot be told: not everything could be read',
};

export function outcomeText({ outcome, reason }: Pick<Prediction, 'outcome' | 'reason'>): string {
  return reason?.code === 'release-decides' ? 'cannot be told: it depends on the release' : outcomes[outcome];
}

/** `9.0 and newer would not start: … (/etc/filebeat/filebeat.yml:5)`. Known releases are the newest of their lines. */
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
  return `${range} would run with ${opens}${loss === undefined ? '' : `, and go without something: ${placedFault(loss)}`}`;
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
  remembered: 'as it was last known',
};

export function releaseText({ version, source }: Release): string {
  if (version === undefined || source === 'assumed')
    return 'not known from its files; the newest rules are assumed (--filebeat-release overrides)';
  return `${version} (${sources[source]})`;
}

const roles: Record<ConfigFile['role'], string> = {
  main: 'main file',
  inputs: 'inputs',
  modules: 'modules',
  manifest: 'fileset',
  keystore: 'keystore, of which only the first two bytes are read',
  unit: 'unit',
};

export function fileText({ role, reloaded, mtime }: ConfigFile): string {
  return [roles[role], reloaded ? 'reloaded' : '', mtime === undefined ? 'not there or not readable' : '']
    .filter((part) => part !== '')
    .join(', ');
}

/** Why a listener is not simply one known socket; undefined where it is. */
export function whyText({ target }: Listener): string | undefined {
  switch (target.kind) {
    case 'socket':
      return undefined;
    case 'random':
      return 'no port is named, so the system picks another one at each start';
    case 'name':
      return 'the name is not in the hosts file: which address it becomes is up to a name server';
    case 'unresolved':
      return unresolvedClauses[target.why];
    case 'invalid':
      return `${invalidClauses[target.why]}; it is never bound, and Filebeat runs on without it`;
  }
}

/** `*:9000`; `?` where nothing is known of it. */
export function listenerText({ address, port, target }: Listener): string {
  if (target.kind === 'unresolved' && address === '') return '?';
  // What is no address is shown as it was written.
  if (target.kind === 'invalid' && port === undefined && address !== '') return address;
  return endpointText(address === '' ? '?' : address, port);
}

const families = { ipv4: 'IPv4 alone', ipv6: 'IPv6 alone', any: 'IPv4 and IPv6' } as const;

/** The row of the kernel's tables: `udp6 [::]:9000, for IPv4 and IPv6`. */
export function socketText({ protocol, target }: Listener): string | undefined {
  if (target.kind === 'name') return `a ${protocol} socket on port ${target.port}`;
  if (target.kind !== 'socket' && target.kind !== 'random') return undefined;
  const row = `${tableOf(protocol, target)} ${endpointText(target.address, target.kind === 'random' ? 0 : target.port)}`;
  if (target.reuse) return `${row} (others of the group may bind it too)`;
  return isWildcard(target) ? `${row} (${reach(target)})` : row;
}

export function tableOf(protocol: string, { family }: { family: 4 | 6 }): string {
  return family === 6 ? `${protocol}6` : protocol;
}

function isWildcard({ address }: { address: string }): boolean {
  return address === '::' || address === '0.0.0.0';
}

/** Who wrote 0.0.0.0 gets both families: Filebeat asks Go for `udp`, which opens one dual-stack socket. */
function reach(target: Extract<Target, { kind: 'socket' | 'random' }>): string {
  return target.family === 6 && target.serves === 'ipv4' ? families.any : families[target.serves];
}

const retries: Record<BindRetry, string> = {
  never: 'one attempt; then no socket until a restart',
  busy: 'tries again without a pause (a whole core is busy) until the port is free',
  'every-10s': 'tries again every 10 seconds',
  deaf: 'tries again every 10 seconds, but then discards everything it receives until a restart',
};

/** The stats endpoint, for releases that insist on it. */
export function isVital({ input }: Listener, release: ReleaseVersion): boolean {
  return input === 'http' && applies('http-must-bind', release);
}

/** What happens when the port is taken at the start; undefined for what is never bound. */
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
  const text = `its file is read again every ${reload.periodSeconds} s, and opened first one period after the start`;
  return reload.losesPort ? `${text}; this release usually loses the port when the entry is edited` : text;
}

export function raceText({ input, declaredIn, over, winner }: Race): string {
  const other = `${input} in ${positionText(declaredIn)}`;
  if (over === 'id') return `${other} has the same id: this release starts only one of them, and which one is chance`;
  if (winner === 'this') return `${other} asks for it too and comes second: it gets nothing`;
  if (winner === 'other') return `${other} asks for it too and is first: this one gets nothing`;
  return `${other} asks for it too: one of them gets it, and which one is chance`;
}

export function collisionText({ bound, instance, declaredIn }: Collision): string {
  const asks = declaredIn === undefined ? '' : ` (${positionText(declaredIn)})`;
  if (bound === undefined) return `the instance “${instance}” asks for it too${asks}`;
  const { owner, uid, address, port } = bound;
  const who = owner === undefined ? `a process of uid ${uid} that cannot be seen` : `pid ${owner.pid} (${owner.comm})`;
  const which = instance === undefined ? '' : `, the instance “${instance}”${asks}`;
  return `${endpointText(address, port)} is bound by ${who}${which}`;
}

/** One line about a whole Filebeat: `3 listeners, 1 unresolved`. */
export function countText({ listeners }: Explanation): string {
  const count = (what: string, test: (one: ExplainedListener) => boolean) => {
    const found = listeners.filter(test).length;
    return found === 0 ? [] : [`${found} ${what}`];
  };
  if (listeners.length === 0) return 'it opens no socket that this exporter knows of';
  return [
    listeners.length === 1 ? '1 listener' : `${listeners.length} listeners`,
    ...count('unresolved', (one) => one.status === 'unresolved'),
    ...count('on a random port', (one) => one.status === 'random'),
    ...count('that can never be bound', (one) => one.status === 'invalid'),
    ...count('in each other’s way', (one) => one.races.length > 0),
    ...count('on an address that this host does not have', (one) => one.onHost === false),
    ...count('that would collide on this host', (one) => (one.collisions?.length ?? 0) > 0),
  ].join(', ');
}

/** The one sentence of a comparison. */
export function answerText({ before, after, answer, release, lost, gained, moved, clashing }: Comparison): string {
  if (after === undefined) return 'cannot be told: only the memory knows it, there are no files to read';
  if (answer === 'unknown') return 'cannot be told';
  const starts = after.outcome !== 'exits';
  if (before.outcome === 'exits')
    return starts ? `would start under ${release}, and does not now` : 'would start neither now nor then';
  if (!starts) return `would not start under ${release}`;
  if (answer === 'same') return 'nothing changes for its listeners';
  const parts = [
    [lost.length, 'lost'],
    [gained.length, 'gained'],
    [moved.length, 'moved'],
    [clashing.length, 'in each other’s way'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `would start; listeners: ${told.join(', ')}`;
}
