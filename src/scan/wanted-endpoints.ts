/** The endpoints that the socket scanner looks for: those expected by instances and those listed in the settings. Pure. */

import { collides, isServedBy } from '../filebeat/net/address.js';
import { compareEndpoints, socketTarget } from '../model/endpoint.js';
import { netnsOf } from '../model/instance-rules.js';
import type { Instance, Listener, StaticPort } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import type { Wanted } from '../sockets/consensus.js';

/** A port of the settings has neither instance nor listener. */
export interface WantedOf extends Wanted {
  instance?: Pick<Instance, 'id'>;
  listener?: Listener;
}

/** A reload closes a port for 10 to 25 ms: readings span this time before the port counts as missing. Milliseconds. */
const reloadSpan = 60;

/**
 * The same array while nothing about it changed. `host.netns`: for ports of the settings and for instances that never ran. `now`:
 * seconds since the epoch.
 */
export function wantedOf(
  instances: readonly Instance[],
  ports: readonly StaticPort[],
  host: { netns: number | undefined; ipv6: boolean },
  now: number,
): readonly WantedOf[] {
  const parts = instances.flatMap((instance) => {
    const netns = netnsOf(instance, host.netns);
    if (netns === undefined) return [];
    const reloading = instance.expected.filter((listener) => justReloaded(listener, instance, now));
    return [wantedBy(instance.expected, instance.id, netns, instance.process !== undefined, reloading, host.ipv6)];
  });
  return together(ports, parts, host.netns);
}

const together = perObject(
  (ports: readonly StaticPort[], parts: readonly (readonly WantedOf[])[], netns: number | undefined) => [
    ...parts.flat(),
    ...(netns === undefined
      ? []
      : ports.map(({ port, protocol }): WantedOf => ({ netns, protocol, port, isServedBy: () => true }))),
  ],
);

/** What one instance wants. `reloading`: listeners that may be closed for a moment. */
const wantedBy = perObject(
  (
    expected: readonly Listener[],
    id: string,
    netns: number,
    isRunning: boolean,
    reloading: readonly Listener[],
    ipv6: boolean,
  ): readonly WantedOf[] =>
    [...expected].sort(compareEndpoints).flatMap((listener): WantedOf[] => {
      const { target, protocol, refused } = listener;
      // A refused listener need not be found: one reading is enough.
      if (refused !== undefined || (target.kind !== 'socket' && target.kind !== 'name')) return [];
      return [
        {
          netns,
          protocol,
          port: target.port,
          instance: { id },
          listener,
          ...(isRunning ? {} : { optional: true as const }),
          ...(!isRunning && isOnOneAddress(target) ? { asksAddresses: true as const } : {}),
          ...(reloading.includes(listener) ? { spanMs: reloadSpan } : {}),
          isServedBy: (row) => isServedBy(listener, row, ipv6),
          isBlockedBy: (row) => collides(target, socketTarget(row)),
        },
      ];
    }),
);

/** On an address that the host may lack, so that a start could not bind it. */
function isOnOneAddress(target: Listener['target']): boolean {
  return target.kind === 'socket' && !/^(?:0\.0\.0\.0|::1?|127\..*)$/.test(target.address);
}

/** Its file was edited within the last two periods, so Filebeat may be reloading it right now. */
function justReloaded(listener: Listener, { prediction }: Instance, now: number): boolean {
  if (listener.reload === undefined) return false;
  const mtime = mtimesOf(prediction).get(listener.declaredIn.file);
  return mtime !== undefined && now - mtime <= 2 * listener.reload.periodSeconds;
}

/** By path, seconds since the epoch. */
const mtimesOf = perObject(
  ({ files }: Instance['prediction']) => new Map(files.map(({ path, mtime }) => [path, mtime])),
);
