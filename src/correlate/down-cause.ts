/**
 * Why an instance that should run has no process: first what makes its start impossible, then how its last process ended.
 * The first one found is the likely cause, the others are evidence. Pure.
 */
import { collides } from '../filebeat/net/address.js';
import { applies, newestRelease, parseRelease } from '../filebeat/releases/releases.js';
import { byEndpoint, endpointOf, socketTarget } from '../model/endpoint.js';
import type { Cause, Fault, Instance, Listener, LostPort, Mismatch } from '../model/model.js';
import { addressNotLocal } from './missing-cause.js';
import type { VerdictContext } from './verdict-context.js';

export function downCauses(instance: Instance, context: VerdictContext): Pick<Mismatch, 'cause' | 'evidence'> {
  const off = unitOff(instance);
  const [cause, ...evidence] = [
    unableToStart(instance),
    refusedFiles(instance),
    ...(isStartRuledOut(instance, context) ? [off] : []),
    runsElsewhere(instance, context),
    lockedData(instance, context),
    endpointInUse(instance, context),
    ending(instance, context),
    ...(isStartRuledOut(instance, context) ? [] : [off]),
    unitState(instance),
    ...lostInputs(instance),
    lostPorts(instance, context),
  ].filter((one) => one !== undefined);
  return { cause: cause ?? { kind: 'none' }, ...(evidence.length === 0 ? {} : { evidence }) };
}

function unableToStart({ cannotStart }: Instance): Cause | undefined {
  return cannotStart === undefined ? undefined : { kind: 'cannot-start', whys: cannotStart };
}

function refusedFiles({ wouldFail, prediction }: Instance): Cause | undefined {
  const fault = wouldFail ?? (prediction.outcome === 'exits' ? prediction.reason : undefined);
  return fault === undefined ? undefined : { kind: 'config', fault };
}

function unitOff({ unit, unitOff: off }: Instance): Cause | undefined {
  return unit === undefined || off === undefined ? undefined : { kind: 'unit-off', unit, ...off };
}

/** Whether systemd would not start its unit, so that how its last process ended matters less. */
function isStartRuledOut({ unitOff: off, lastSeen }: Instance, { snapshot }: VerdictContext): boolean {
  const { bootTime } = snapshot.host;
  const isSinceBoot = lastSeen !== undefined && (bootTime === undefined || lastSeen >= bootTime);
  return off !== undefined && (off.why === 'masked' || off.why === 'condition' || !isSinceBoot);
}

function unitState({ unit, unitStarted: isStarted }: Instance): Cause | undefined {
  return unit === undefined || isStarted === undefined ? undefined : { kind: 'unit-state', unit, isStarted };
}

/** The same files run in another network namespace. */
function runsElsewhere(instance: Instance, { snapshot }: VerdictContext): Cause | undefined {
  const { config, dataKey, account } = instance;
  if (dataKey === undefined) return undefined;
  const other = snapshot.instances.find(
    (one) =>
      one.process !== undefined &&
      one.config === config &&
      one.dataKey === dataKey &&
      (one.account === undefined || one.account === account),
  );
  const theirs = other?.process?.netns;
  // Without both namespaces it is not known whether they differ.
  return other === undefined || theirs === undefined || instance.netns === undefined || theirs === instance.netns
    ? undefined
    : { kind: 'runs-elsewhere', instance: other.name };
}

function releaseOf({ prediction }: Instance) {
  return parseRelease(prediction.release.version) ?? newestRelease;
}

/** Another instance runs on its path.data. What an ordinary user starts there does not count for instances of others. */
function lockedData(instance: Instance, { snapshot }: VerdictContext): Cause | undefined {
  if (instance.dataKey === undefined || !applies('data-lock', releaseOf(instance))) return undefined;
  const other = snapshot.instances.find(
    (one) =>
      one !== instance &&
      one.process !== undefined &&
      isSameData(one, instance) &&
      (one.account === undefined || one.account === instance.account) &&
      applies('data-lock', releaseOf(one)),
  );
  return other === undefined ? undefined : { kind: 'data-locked', instance: other.name };
}

/** By path within one root, or by device and inode. */
function isSameData(a: Instance, b: Instance): boolean {
  return a.dataKey === b.dataKey || (a.dataDirectory !== undefined && a.dataDirectory.id === b.dataDirectory?.id);
}

/** Releases from 7.0 on do not start without their stats endpoint. */
const isRequired = ({ input }: Listener, instance: Instance) =>
  input === 'http' && applies('http-must-bind', releaseOf(instance));

/** Another process has the stats endpoint that it needs, or this host lacks its address. */
function endpointInUse(instance: Instance, context: VerdictContext): Cause | undefined {
  const endpoint = instance.expected.find((listener) => isRequired(listener, instance));
  if (endpoint?.target.kind !== 'socket') return undefined;
  const { declaredIn } = endpoint;
  const lost = lostPort(instance, endpoint, context);
  if (lost === undefined) return undefined;
  const { owner, instance: other, uid } = lost;
  return {
    kind: 'endpoint-held',
    declaredIn,
    port: endpoint.target.port,
    ...(uid === undefined ? {} : { uid }),
    ...(owner === undefined ? {} : { owner }),
    ...(other === undefined ? {} : { instance: other }),
  };
}

/** How its last process ended, and whether this boot has seen it. */
function ending({ lastSeen, lastEnd, origins }: Instance, { snapshot }: VerdictContext): Cause {
  const origin = origins[0] ?? 'remembered';
  const { bootTime } = snapshot.host;
  if (lastSeen !== undefined && bootTime !== undefined && lastSeen < bootTime)
    return { kind: 'not-since-boot', origin };
  if (lastSeen === undefined && lastEnd === undefined) return { kind: 'never-seen', origin };
  return { kind: 'not-running', origin, ...(lastEnd === undefined ? {} : { end: lastEnd }) };
}

/** Inputs that it would start without, each once. */
function lostInputs({ expected, prediction }: Instance): Cause[] {
  const withoutPort = prediction.faults.filter(({ costs }) => costs === undefined);
  const faults = new Set<Fault>([...expected.flatMap(({ refused }) => refused ?? []), ...withoutPort]);
  return [...faults].slice(0, mostRefusals).map((fault) => ({ kind: 'start-refuses', fault }));
}

const mostRefusals = 5;

/** Endpoints that others have bound, so that the next start would not get them. */
function lostPorts(instance: Instance, context: VerdictContext): Cause | undefined {
  const ports = byEndpoint(instance.expected).flatMap(([listener]) =>
    isRequired(listener!, instance) || listener!.refused !== undefined
      ? []
      : (lostPort(instance, listener!, context) ?? []),
  );
  return ports.length === 0 ? undefined : { kind: 'start-loses', ports };
}

/** Undefined where the next start would get the endpoint. */
function lostPort(instance: Instance, listener: Listener, context: VerdictContext): LostPort | undefined {
  const { target, protocol } = listener;
  // With SO_REUSEADDR both may get it; whether the other socket has that option is unknown.
  if (target.kind !== 'socket' || target.reuse) return undefined;
  const taker = context
    .socketsAt(instance, protocol, target.port)
    .find((socket) => collides(target, socketTarget(socket)));
  if (taker === undefined)
    return addressNotLocal(instance, listener, context) === undefined ? undefined : endpointOf(listener);
  const owner = taker.owners[0];
  const other = owner === undefined ? undefined : context.instanceOf(owner);
  return {
    ...endpointOf(listener),
    ...(owner === undefined ? { uid: taker.uid } : { owner }),
    ...(other === undefined ? {} : { instance: other.name }),
  };
}
