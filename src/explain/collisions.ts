/** `explain --against-host`: compares listeners with the sockets of the host and the listeners of other instances. Pure. */
import { BlockList, isIP } from 'node:net';
import { collides } from '../filebeat/net/address.js';
import { isWildcardAddress, socketTarget } from '../model/endpoint.js';
import { isSameProcess } from '../model/instance-rules.js';
import type { Gap, Instance, Listener, ProcessId, Socket } from '../model/model.js';
import { positionText } from '../words/locations.js';
import type { Collision, Explanation } from './explained.js';

/** The network namespace that the explained Filebeat runs in, or would run in. */
export interface Neighbourhood {
  sockets: readonly Socket[];
  /** All instances except the explained one. */
  others: readonly Instance[];
  /** Processes of the explained one: their sockets are no collisions. */
  own: readonly ProcessId[];
  /** Names of other instances with the same path.data. */
  dataSharedWith: string[];
  /** Addresses of the namespace, and IPv4 ranges such as `127.0.0.0/8`; absent if they were not read. */
  addresses?: readonly string[];
  /** Why it could not be read. */
  gaps: Gap[];
}

/** Adds collisions. The gaps of the neighbourhood are added too: with a gap, "no collision" is not certain. */
export function againstHost(explanation: Explanation, near: Neighbourhood): Explanation {
  const { prediction } = explanation;
  return {
    ...explanation,
    prediction: { ...prediction, gaps: [...prediction.gaps, ...near.gaps] },
    listeners: explanation.listeners.map((one) => ({
      ...one,
      collisions: collisionsOf(one.listener, near),
      ...onHost(one.listener, near.addresses),
    })),
    dataSharedWith: near.dataSharedWith,
  };
}

function collisionsOf(listener: Listener, { sockets, others, own }: Neighbourhood): Collision[] {
  const claims = others.flatMap((instance) => {
    const claim = claimsOf(instance).find((one) => meets(listener, one));
    return claim === undefined ? [] : [{ instance, declaredIn: claim.declaredIn }];
  });
  const bound = sockets.flatMap((socket): Collision[] => {
    if (socket.protocol !== listener.protocol || !collides(listener.target, socketTarget(socket))) return [];
    if (socket.owners.some((owner) => own.some((process) => isSameProcess(owner, process)))) return [];
    const [owner] = socket.owners;
    const instance = owner && others.find(({ process }) => isSameProcess(owner, process));
    const claim = claims.find((one) => one.instance === instance);
    const { address, port, family, uid } = socket;
    return [
      {
        bound: { address, port, family, uid, ...(owner ? { owner } : {}) },
        ...(instance ? { instance: instance.name } : {}),
        ...(claim ? { declaredIn: claim.declaredIn } : {}),
      },
    ];
  });
  const owning = new Set(bound.map((collision) => collision.instance));
  const onlyDeclared = claims
    .filter(({ instance }) => !owning.has(instance.name))
    .map(({ instance, declaredIn }): Collision => ({ instance: instance.name, declaredIn }));
  return [...bound, ...onlyDeclared];
}

function onHost({ target }: Listener, addresses: readonly string[] | undefined): { onHost?: boolean } {
  if (addresses === undefined || (target.kind !== 'socket' && target.kind !== 'random')) return {};
  const { address, family } = target;
  if (isWildcardAddress(address)) return { onHost: true };
  const known = new BlockList();
  for (const one of addresses) {
    const [base = '', bits] = one.split('/');
    if (bits !== undefined) known.addSubnet(base, Number(bits), 'ipv4');
    else if (isIP(base) !== 0) known.addAddress(base, isIP(base) === 6 ? 'ipv6' : 'ipv4');
  }
  return { onHost: known.check(address, family === 6 ? 'ipv6' : 'ipv4') };
}

function meets(a: Listener, b: Listener): boolean {
  return a.protocol === b.protocol && collides(a.target, b.target);
}

/** The listeners that it should have now, and those it will open at its next start. */
function claimsOf({ expected, prediction }: Instance): Listener[] {
  const claims = new Map<string, Listener>();
  for (const listener of [...expected, ...prediction.listeners])
    claims.set(
      [listener.protocol, listener.address, listener.port, positionText(listener.declaredIn)].join('|'),
      listener,
    );
  return [...claims.values()];
}
