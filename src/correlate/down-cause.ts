/** Why an instance that ought to run has no process: what makes its start impossible first, then what is known of its end. Pure. */
import { collides } from '../filebeat/net/address.js';
import { applies, newestRelease, parseRelease } from '../filebeat/releases/releases.js';
import { socketTarget } from '../model/endpoint.js';
import type { Cause, Instance } from '../model/model.js';
import type { Scene } from './scene.js';

export function downCause(instance: Instance, scene: Scene): Cause {
  const { prediction, lastSeen, lastEnd, config, dataKey } = instance;
  const { instances, host } = scene.snapshot;
  const origin = instance.origins[0] ?? 'remembered';
  if (instance.cannotStart !== undefined) return { kind: 'cannot-start', whys: instance.cannotStart };
  const failure = instance.wouldFail ?? (prediction.outcome === 'exits' ? prediction.reason : undefined);
  if (failure !== undefined) return { kind: 'config', fault: failure };
  const twin = instances.find(
    (other) =>
      other.process !== undefined &&
      other.config === config &&
      other.dataKey === dataKey &&
      (other.account === undefined || other.account === instance.account),
  );
  if (twin !== undefined && dataKey !== undefined && twin.process?.netns !== instance.netns)
    return { kind: 'runs-elsewhere', instance: twin.name };
  const hindrance = lockedData(instance, scene) ?? heldEndpoint(instance, scene);
  if (hindrance !== undefined) return hindrance;
  if (lastSeen !== undefined && host.bootTime !== undefined && lastSeen < host.bootTime)
    return { kind: 'not-since-boot', origin };
  if (lastSeen === undefined && lastEnd === undefined) return { kind: 'never-seen', origin };
  return { kind: 'not-running', origin, ...(lastEnd === undefined ? {} : { end: lastEnd }) };
}

function releaseOf({ prediction }: Instance) {
  const { version } = prediction.release;
  return (version === undefined ? undefined : parseRelease(version)) ?? newestRelease;
}

/** Another one runs on its path.data. What an ordinary user starts there tells nothing of somebody else's. */
function lockedData(instance: Instance, { snapshot }: Scene): Cause | undefined {
  if (instance.dataKey === undefined || !applies('data-lock', releaseOf(instance))) return undefined;
  const other = snapshot.instances.find(
    (one) =>
      one !== instance &&
      one.process !== undefined &&
      one.dataKey === instance.dataKey &&
      (one.account === undefined || one.account === instance.account) &&
      applies('data-lock', releaseOf(one)),
  );
  return other === undefined ? undefined : { kind: 'data-locked', instance: other.name };
}

/** Somebody has the stats endpoint, without which releases from 7.0 on do not start. */
function heldEndpoint(instance: Instance, scene: Scene): Cause | undefined {
  const endpoint = instance.expected.find(({ input }) => input === 'http');
  if (endpoint?.target.kind !== 'socket' || !applies('http-must-bind', releaseOf(instance))) return undefined;
  const { target, declaredIn } = endpoint;
  const taker = scene.socketsAt(instance, 'tcp', target.port).find((socket) => collides(target, socketTarget(socket)));
  if (taker === undefined) return undefined;
  const owner = taker.owners[0];
  const other = owner === undefined ? undefined : scene.instanceOf(owner);
  return {
    kind: 'endpoint-held',
    uid: taker.uid,
    declaredIn,
    port: target.port,
    ...(owner === undefined ? {} : { owner }),
    ...(other === undefined ? {} : { instance: other.name }),
  };
}
