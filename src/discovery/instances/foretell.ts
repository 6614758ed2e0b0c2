/** One way to start a Filebeat → what it would open, kept for as long as its files stay the same. */
import { posix } from 'node:path';
import { type Command, readCommand } from '../../filebeat/config/command.js';
import type { Running } from '../../filebeat/detect-release.js';
import type { FileStat, FileView } from '../../filebeat/files/file-view.js';
import { predict } from '../../filebeat/predict.js';
import { knownReleases, newestRelease, parseRelease } from '../../filebeat/releases/releases.js';
import { limits, tooMany } from '../../model/limits.js';
import type { Gap, Prediction } from '../../model/model.js';
import type { KeptReadings } from '../../proc/kept-readings.js';
import { cutText, cutTexts } from '../../runtime/cut-text.js';
import { attempt } from '../../runtime/defect.js';
import { type HiddenPlace, seenBy } from '../systemd/unit-view.js';

/** What a prediction is made from. It holds an environment: it stays inside of the program. */
export interface Start {
  command: Command;
  /** The directory that is `/` for it. */
  rootDir: string;
}

/** `-c` as given, comma-joined; `filebeat.yml` where there is none. Each release has rules of its own for flags. */
export function configLabel(argv: readonly string[], version?: string): string {
  const release = version === undefined ? undefined : parseRelease(version);
  const read = readCommand(argv, release ?? newestRelease);
  return cutText(read.kind === 'run' ? read.line.configFiles.join(',') : 'filebeat.yml', limits.textChars);
}

/** Canonical where it exists, else as it is written. */
export function canonical(files: FileView, path: string): string {
  const resolved = files.resolve(path);
  return resolved.ok ? resolved.value : posix.normalize(path);
}

export interface Foretold {
  prediction: Prediction;
  pathData?: string;
  config: string;
  start: Start;
  /** Whose the main files and path.data are. */
  places: Places;
}

/** Owner and mode of what a Filebeat is told to read and write, as far as they can be looked at. */
export interface Places {
  /** In the order given to Filebeat. */
  main: readonly (FileStat | undefined)[];
  data?: FileStat;
}

const noPlaces: Places = { main: [] };

export function lookAtPlaces(files: FileView, mainFiles: readonly string[], pathData: string | undefined): Places {
  const statOf = (path: string) => {
    const stat = files.stat(path);
    return stat.ok ? stat.value : undefined;
  };
  const data = pathData === undefined ? undefined : statOf(pathData);
  return { main: mainFiles.map(statOf), ...(data === undefined ? {} : { data }) };
}

export interface ForetellOptions {
  running?: Running;
  /** See `ReadOptions`. */
  view?: string | undefined;
  /** Where it sees other files than its root has. */
  hidden?: readonly HiddenPlace[];
}

export function foretell(
  kept: KeptReadings,
  key: string,
  command: Command,
  rootDir: string,
  { running, view, hidden = [] }: ForetellOptions = {},
): Foretold {
  const answer = (host: FileView) => {
    const files = seenBy(host, hidden);
    const whole = running === undefined ? predictDown(command, files) : predictRunning(command, files, running);
    const config = configLabel(command.argv, releaseOf(whole));
    const pathData = canonical(files, whole.paths.data);
    const places = lookAtPlaces(files, whole.mainFiles ?? [], pathData);
    const prediction = cutTexts(predictionWithin(whole, config), limits.textChars);
    return { prediction, pathData: cutText(pathData, limits.textChars), config, places };
  };
  const start = { command, rootDir };
  return attempt(
    () => ({ ...kept.read(`predict ${key}`, [command, running, hidden], rootDir, answer, { view }), start }),
    (place) => {
      const config = attempt(
        () => configLabel(command.argv),
        () => 'filebeat.yml',
      );
      return { prediction: unforetold(config, place), config, start, places: noPlaces };
    },
  );
}

/** Nothing is known of it but that it is there. */
function unforetold(config: string, place: string): Prediction {
  return {
    outcome: 'unknown',
    reason: { code: 'defect' },
    listeners: [],
    faults: [],
    files: [],
    mainFiles: config.split(','),
    release: { source: 'assumed' },
    paths: { home: '', config: '', data: '', logs: '' },
    gaps: [defectGap(config, place)],
  };
}

export function defectGap(subject: string, place: string): Gap {
  return { reason: 'malformed', subject, detail: `the exporter failed over it (${place})` };
}

/**
 * Of a process that runs. Where nothing tells its release, the newest rules are assumed; if it could not run under
 * them, it is of an older one: the newest under which it could.
 */
export function predictRunning(command: Command, files: FileView, running: Running): Prediction {
  const prediction = predict(command, files, { running });
  if (prediction.outcome !== 'exits' || prediction.release.source !== 'assumed') return prediction;
  for (const release of knownReleases) {
    const older = predict(command, files, { running, release });
    if (older.outcome !== 'exits') return { ...older, release: { source: 'hint' }, guessed: release };
  }
  return prediction;
}

/**
 * Of one that does not run. Nothing tells its release, and the newest would refuse what an older one would start with:
 * then nobody knows, and both outcomes are said.
 */
export function predictDown(command: Command, files: FileView): Prediction {
  const prediction = predict(command, files);
  if (prediction.outcome !== 'exits' || prediction.release.source !== 'assumed') return prediction;
  for (const release of knownReleases) {
    const older = predict(command, files, { release });
    if (older.outcome === 'exits') continue;
    const { at } = prediction.reason ?? {};
    const subject = `Filebeat ${release} would start with its files, newer ones would refuse them`;
    const reason = { code: 'release-decides', subject, ...(at === undefined ? {} : { at }) };
    return { ...older, outcome: 'ambiguous', reason, release: { source: 'assumed' }, guessed: release };
  }
  return prediction;
}

/** What its release is known to be, or was taken for. */
function releaseOf({ release, guessed }: Prediction): string | undefined {
  return release.version ?? guessed;
}

/** Of one prediction; the rest of it stands. */
function predictionWithin(prediction: Prediction, config: string, most: number = limits.listeners): Prediction {
  const { listeners, gaps, faults } = prediction;
  const count = listeners.length + faults.reduce((sum, { costs = [] }) => sum + costs.length, 0);
  if (count <= most && gaps.length <= limits.troubles && faults.length <= limits.troubles) return prediction;
  let left = most - Math.min(most, listeners.length);
  const told = faults.slice(0, limits.troubles).map((fault) => {
    const costs = fault.costs?.slice(0, left);
    left -= costs?.length ?? 0;
    return costs === undefined ? fault : { ...fault, costs };
  });
  return {
    ...prediction,
    listeners: listeners.slice(0, most),
    faults: told,
    gaps: [
      ...(count > most ? [tooMany(`listeners of ${config}`, count, most)] : []),
      ...(gaps.length > limits.troubles ? [tooMany(`gaps of ${config}`, gaps.length, limits.troubles)] : []),
      ...gaps.slice(0, limits.troubles),
    ],
  };
}
