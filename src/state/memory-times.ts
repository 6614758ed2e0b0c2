/** Time stamps of the state after the wall clock was set, and whether two boot ids are of one boot. */
import type { Arrivals } from '../self-report/silence.js';
import type { State } from './memory-state.js';

/**
 * Moves every time stamp before `now` by the step of the clock, so that ages stay the same. Time stamps after `now` come from
 * another clock and stay.
 */
export function shiftTimes(state: State, step: number, now: number): State {
  const moved = (stamp: number) => (stamp <= now ? stamp + step : stamp);
  const each = <T>(rows: Readonly<Record<string, T>>, move: (row: T) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, move(row)]));
  return {
    ...state,
    instances: each(state.instances, (one) => ({
      ...one,
      firstSeen: moved(one.firstSeen),
      lastSeen: moved(one.lastSeen),
      restartTimes: one.restartTimes.map(moved),
      start: { ...one.start, startTime: moved(one.start.startTime) },
    })),
    ledger: each(state.ledger, (entry) => ({ ...entry, rises: entry.rises.map(([at, n]) => [moved(at), n]) })),
    learned: each(state.learned, (sockets) =>
      each(sockets, (one) => ({ ...one, since: moved(one.since), lastSeen: moved(one.lastSeen) })),
    ),
    // `upTo` is compared with time stamps in Filebeat's log, which stay.
    reports: each(state.reports, (report) => ({
      ...report,
      listeners: each(report.listeners, ({ arrivals, ...one }) =>
        arrivals === undefined ? one : { ...one, arrivals: movedArrivals(arrivals, moved) },
      ),
    })),
  };
}

function movedArrivals(arrivals: Arrivals, moved: (stamp: number) => number): Arrivals {
  const { watchedSince, last, unbrokenSince } = arrivals;
  return {
    ...arrivals,
    watchedSince: moved(watchedSince),
    ...(last === undefined ? {} : { last: moved(last) }),
    ...(unbrokenSince === undefined ? {} : { unbrokenSince: moved(unbrokenSince) }),
  };
}

/**
 * Compares values of `/proc/sys/kernel/random/boot_id`. An empty one could not be read and equals any, so callers also compare
 * pid and start time, or counters.
 */
export function isSameBoot(one: string | undefined, other: string): boolean {
  return one !== undefined && (one === other || one === '' || other === '');
}
