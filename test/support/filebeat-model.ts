/**
 * A simulated Filebeat: the figures of its pipeline second by second, with the counters of its release, while its output and
 * its senders do what a test says. Modelled on releases 7.17 to 9.6.
 */
import type { Figures } from '../../src/self-report/pipeline-figures.js';
import { evening, type Form, metricsLine, type Period } from './filebeat-log.js';

export const modelReleases = ['7.17.16', '8.14.4', '8.16.0', '8.19.21', '9.3.9', '9.6.0'] as const;
export type ModelRelease = (typeof modelReleases)[number];

export const situations = [
  'healthy',
  'silent',
  'sparse',
  'filtered',
  'burst',
  'closed',
  'refused',
  'mute',
  'slow',
  'rejected',
  'disk-full',
] as const;
export type ModelSituation = (typeof situations)[number];

const atLeast = (release: ModelRelease, major: number, minor: number): boolean => {
  const [a = 0, b = 0] = release.split('.').map(Number);
  return a > major || (a === major && b >= minor);
};

/** Datagrams in this second. */
function arriving(situation: ModelSituation, second: number): number {
  if (situation === 'silent') return 0;
  if (situation === 'sparse') return second % 9 === 0 ? 1 : 0;
  if (situation === 'burst') return second % 12 === 0 ? 1500 : 0;
  return situation === 'slow' ? 200 : 100;
}

export interface FilebeatModel {
  /** Advances by one second. */
  step(situation: ModelSituation): void;
  /** The present response of `/stats`. */
  figures(): Figures;
  /** `received_events_total` of its one input. */
  received(): number;
  /** The metrics line of this second, if one is due. */
  line(): string | undefined;
}

const noFigures: Figures = {
  events: 0,
  filtered: 0,
  published: 0,
  acked: 0,
  duplicate: 0,
  deadLetter: 0,
  dropped: 0,
  failed: 0,
  tried: 0,
  bytes: 0,
  reloads: 0,
  active: 0,
  outputActive: 0,
};

export function createFilebeatModel(release: ModelRelease): FilebeatModel {
  const isText = !atLeast(release, 8, 0);
  const form: Form = isText ? 'text' : 'json';
  const queueMax = atLeast(release, 8, 13) ? 3200 : 4096;
  /** Up to 8.14 a refused request stays in the active events, from 8.16 on it counts as failed. */
  const leaks = !atLeast(release, 8, 15);
  const tellsInputs = atLeast(release, 9, 3);
  const now: Figures = { ...noFigures, queueMax };
  let told: Figures = { ...now };
  let [second, waited, received, toldReceived, lines] = [0, 0, 0, 0, 0];

  /** Sends waiting events: from 8.13 on once there are 1,600 or ten seconds have passed. */
  function flush(most: number, done: (count: number) => void): void {
    waited++;
    const isDue = !atLeast(release, 8, 13) || now.active >= 1600 || waited >= 10;
    const count = isDue ? Math.min(most, now.active) : 0;
    if (count === 0) return;
    waited = 0;
    now.tried += count;
    now.active -= count;
    now.bytes += count * 200;
    done(count);
  }

  const outputs: Record<ModelSituation, () => void> = {
    healthy: () => flush(2000, (count) => (now.acked += count)),
    silent: () => outputs.healthy(),
    sparse: () => outputs.healthy(),
    filtered: () => outputs.healthy(),
    burst: () => outputs.healthy(),
    closed: () => undefined,
    refused: () => {
      if (second % 5 !== 0 || now.active === 0) return;
      const batch = Math.min(leaks ? 50 : 1600, now.active);
      now.tried += batch;
      if (leaks) now.outputActive += batch;
      else now.failed += batch;
    },
    mute: () => {
      const batch = Math.min(128, now.active);
      if (now.outputActive > 0 || batch === 0) return;
      now.tried += batch;
      now.outputActive = batch;
    },
    slow: () => {
      if (second % 8 === 0) flush(128, (count) => (now.acked += count));
    },
    rejected: () => flush(2000, (count) => (now.dropped += count)),
    'disk-full': () => outputs.rejected(),
  };

  return {
    step(situation) {
      second++;
      if (outputs[situation] !== outputs.refused && outputs[situation] !== outputs.mute) now.outputActive = 0;
      outputs[situation]();
      // If the queue is full, the input waits with one event.
      const taken = Math.min(arriving(situation, second), Math.max(0, queueMax + 1 - now.active));
      received += taken;
      now.events += taken;
      if (situation === 'filtered') now.filtered += taken;
      else {
        now.published += taken;
        now.active += taken;
      }
    },
    figures: () => ({ ...now }),
    received: () => received,
    line() {
      if (second % 30 !== 0) return undefined;
      const since = (field: keyof Figures) => (now[field] as number) - (told[field] as number);
      const period: Period = {
        in: since('events'),
        filtered: since('filtered'),
        acked: since('acked'),
        dropped: since('dropped'),
        failed: since('failed'),
        tried: since('tried'),
        active: now.active,
        outputActive: now.outputActive,
        queueMax,
        once: lines === 0 || atLeast(release, 8, 16),
        ...(tellsInputs
          ? {
              inputs: {
                one: {
                  ...(received > toldReceived ? { received: received - toldReceived } : {}),
                  ...(lines === 0 ? { device: '0.0.0.0:514' } : {}),
                },
              },
            }
          : {}),
      };
      told = { ...now };
      toldReceived = received;
      lines++;
      return metricsLine(form, evening + second, period);
    },
  };
}
