/**
 * What former scans saw, for the eye: up and down, drops and queue of every port, up and down of every instance. Pure: a
 * scan makes the next history, there is no timer. Only changes are kept, so that a port at rest costs next to nothing.
 */
import { endpointKey } from '../model/endpoint.js';
import type { Changes, History, InstanceTrack, PortTrack, PortVerdict, Report } from '../model/model.js';

/** Samples that are kept: with `spacing` at least an hour. */
export const samplesKept = 120;
/** Scans closer together than this become one sample that keeps the worst of them. Seconds. */
export const spacing = 30;

export const emptyHistory: History = { first: 0, times: [], instances: {}, ports: {} };

/** Value of `changes` at sample `n`; undefined before the first. */
export function valueAt(changes: Changes, n: number): number | undefined {
  for (let i = changes.length - 2; i >= 0; i -= 2) if (changes[i]! <= n) return changes[i + 1];
  return undefined;
}

/** `[from, until, value]` of each stretch within the kept samples, sample numbers, `until` exclusive. */
export function stretches(changes: Changes, history: History): [from: number, until: number, value: number][] {
  const end = history.first + history.times.length;
  const found: [number, number, number][] = [];
  for (let i = 0; i < changes.length; i += 2) {
    const from = Math.max(changes[i]!, history.first);
    const until = changes[i + 2] ?? end;
    if (until > from) found.push([from, until, changes[i + 1]!]);
  }
  return found;
}

/** `changes` with `value` at the last sample `n`; the same array when that says nothing new. */
function put(changes: Changes, n: number, value: number): Changes {
  const last = changes.length - 2;
  if (last >= 0 && changes[last + 1] === value) return changes;
  if (last >= 0 && changes[last] === n) return [...changes.slice(0, last), n, value];
  return [...changes, n, value];
}

/** Without what lies before sample `first`, but for the value that still holds there. */
function trim(changes: Changes, first: number): Changes {
  let from = 0;
  while (from + 2 < changes.length && changes[from + 2]! <= first) from += 2;
  return from === 0 ? changes : changes.slice(from);
}

const upValue = (up: boolean | undefined): number => (up === undefined ? -1 : Number(up));

/** Of two scans in one sample the worse: down before unknown before up. */
function worse(a: number, b: number): number {
  const rank = (value: number) => (value === 0 ? 2 : value === -1 ? 1 : 0);
  return rank(a) >= rank(b) ? a : b;
}

interface Step {
  /** Number of the sample that is written. */
  n: number;
  first: number;
  /** The sample is there already and gathers several scans. */
  again: boolean;
}

function series(changes: Changes, value: number, { n, first, again }: Step, gather: (a: number, b: number) => number) {
  const before = again ? valueAt(changes, n) : undefined;
  return trim(put(changes, n, before === undefined ? value : gather(before, value)), first);
}

/** Eighths of the receive buffer, rounded up from a sixteenth: finer than a sparkline shows would keep noise. */
function fill({ up, status, socket, receiveBuffer }: PortVerdict): number {
  if ((up !== true && status !== 'deaf') || socket === undefined || !receiveBuffer) return 0;
  return Math.min(8, Math.round((socket.receiveQueue / receiveBuffer) * 8));
}

const noPort: PortTrack = { up: [], drops: [], queue: [], total: 0 };

function nextPort(before: PortTrack | undefined, port: PortVerdict, step: Step): PortTrack {
  const known = before ?? noPort;
  const total = port.dropsTotal ?? known.total;
  // What was dropped before the first look is no event of this hour.
  const dropped = before === undefined ? 0 : Math.max(0, total - known.total);
  const up = series(known.up, upValue(port.up), step, worse);
  const drops = series(known.drops, dropped, step, (a, b) => a + b);
  const queue = series(known.queue, fill(port), step, Math.max);
  const same = up === known.up && drops === known.drops && queue === known.queue && total === known.total;
  return same && before !== undefined ? before : { up, drops, queue, total };
}

/** Of ports that did nothing: the tracks that say so, whatever comes after them while the verdicts are the same objects. */
const quiet = new WeakMap<readonly PortVerdict[], Readonly<Record<string, PortTrack>>>();

/** One more scan of the same says nothing new: the track is one stretch, never cut off, of what the port is now. */
function isQuiet({ up, drops, queue, total }: PortTrack, port: PortVerdict): boolean {
  return (
    up.length === 2 &&
    up[1] === upValue(port.up) &&
    drops.length === 2 &&
    drops[1] === 0 &&
    queue.length === 2 &&
    queue[1] === fill(port) &&
    total === (port.dropsTotal ?? total)
  );
}

function nextPorts(
  before: Readonly<Record<string, PortTrack>> | undefined,
  ports: readonly PortVerdict[],
  step: Step,
): Readonly<Record<string, PortTrack>> {
  if (before !== undefined && quiet.get(ports) === before) return before;
  const tracks: Record<string, PortTrack> = {};
  for (const port of ports) {
    const key = endpointKey(port);
    tracks[key] = nextPort(before?.[key], port, step);
  }
  if (ports.every((port) => isQuiet(tracks[endpointKey(port)]!, port))) quiet.set(ports, tracks);
  return tracks;
}

/** After somebody has set the clock by `step` seconds: samples are as old as they were. */
export function shiftHistory(history: History, step: number): History {
  return { ...history, times: history.times.map((time) => time + step) };
}

/** The history with one scan more. What is gone from the report leaves it. */
export function nextHistory(history: History, report: Pick<Report, 'snapshot' | 'verdict'>): History {
  const { takenAt } = report.snapshot;
  const lastTime = history.times.at(-1);
  const again = lastTime !== undefined && takenAt - lastTime < spacing;
  const all = again ? history.times : [...history.times, takenAt];
  const times = all.slice(-samplesKept);
  const first = history.first + all.length - times.length;
  const step: Step = { n: first + times.length - 1, first, again };
  const instances: Record<string, InstanceTrack> = {};
  const ports: Record<string, Readonly<Record<string, PortTrack>>> = {};
  for (const verdict of report.verdict.instances) {
    const before = history.instances[verdict.id];
    const up = series(before?.up ?? [], upValue(verdict.up), step, worse);
    instances[verdict.id] = before !== undefined && before.up === up ? before : { up };
    ports[verdict.id] = nextPorts(history.ports[verdict.id], verdict.ports, step);
  }
  return { first, times, instances, ports };
}
