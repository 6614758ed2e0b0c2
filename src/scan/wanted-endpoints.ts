/** The endpoints that the socket scanner looks for: those expected by instances and those listed in the settings. Pure. */

import { collides, isServedBy } from '../filebeat/net/address.js';
import { compareEndpoints, socketTarget } from '../model/endpoint.js';
import { netnsOf } from '../model/instance-rules.js';
import type { Instance, Listener, StaticPort } from '../model/model.js';
import type { Wanted } from '../sockets/consensus.js';

/** A port of the settings has neither instance nor listener. */
export interface WantedOf extends Wanted {
  instance?: Instance;
  listener?: Listener;
}

/** A reload closes a port for 10 to 25 ms: readings span this time before the port counts as missing. Milliseconds. */
const reloadSpan = 60;

/** `host.netns`: for ports of the settings and for instances that never ran. `now`: seconds since the epoch. */
export function wantedOf(
  instances: readonly Instance[],
  ports: readonly StaticPort[],
  host: { netns: number | undefined; ipv6: boolean },
  now: number,
): WantedOf[] {
  const wanted: WantedOf[] = [];
  for (const instance of instances) {
    const netns = netnsOf(instance, host.netns);
    if (netns === undefined) continue;
    for (const listener of [...instance.expected].sort(compareEndpoints)) {
      const { target, protocol, refused } = listener;
      // A refused listener need not be found: one reading is enough.
      if (refused !== undefined) continue;
      if (target.kind !== 'socket' && target.kind !== 'name') continue;
      wanted.push({
        netns,
        protocol,
        port: target.port,
        instance,
        listener,
        ...(instance.process === undefined ? { optional: true as const } : {}),
        ...(instance.process === undefined && isOnOneAddress(target) ? { asksAddresses: true as const } : {}),
        ...(justReloaded(listener, instance, now) ? { spanMs: reloadSpan } : {}),
        isServedBy: (row) => isServedBy(listener, row, host.ipv6),
        isBlockedBy: (row) => collides(target, socketTarget(row)),
      });
    }
  }
  const { netns } = host;
  if (netns === undefined) return wanted;
  return [
    ...wanted,
    ...ports.map(({ port, protocol }): WantedOf => ({ netns, protocol, port, isServedBy: () => true })),
  ];
}

/** On an address that the host may lack, so that a start could not bind it. */
function isOnOneAddress(target: Listener['target']): boolean {
  return target.kind === 'socket' && !/^(?:0\.0\.0\.0|::1?|127\..*)$/.test(target.address);
}

/** Its file was edited within the last two periods, so Filebeat may be reloading it right now. */
function justReloaded(listener: Listener, { prediction }: Instance, now: number): boolean {
  if (listener.reload === undefined) return false;
  const mtime = prediction.files.find((file) => file.path === listener.declaredIn.file)?.mtime;
  return mtime !== undefined && now - mtime <= 2 * listener.reload.periodSeconds;
}
