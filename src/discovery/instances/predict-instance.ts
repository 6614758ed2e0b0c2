/** One way to start a Filebeat → what it would open, kept for as long as its files stay the same. */
import { posix } from 'node:path';
import type { Command } from '../../filebeat/config/command.js';
import type { Running } from '../../filebeat/detect-release.js';
import type { FileStat, FileView } from '../../filebeat/files/file-view.js';
import { frozenView } from '../../filebeat/files/frozen-view.js';
import { createWork, WorkSpent, withWork } from '../../filebeat/files/work.js';
import { predictDown, predictRunning } from '../../filebeat/unknown-release.js';
import { limits, tooMany } from '../../model/limits.js';
import type { Gap, Prediction } from '../../model/model.js';
import type { FileCache } from '../../proc/file-cache.js';
import type { Reader } from '../../proc/permissions.js';
import { cutText, cutTexts } from '../../runtime/cut-text.js';
import { containDefect } from '../../runtime/defect.js';
import { type HiddenPath, seenBy } from '../systemd/unit-view.js';
import { configLabel } from './config-label.js';
import { type ServiceUser, unreadableFor } from './readable.js';

/** What a prediction is made from. It holds an environment: it stays inside of the program. */
export interface Start {
  command: Command;
  /** The directory that is `/` for it. */
  rootDir: string;
  /** As whom it reads its files; absent: it may read everything, or nobody knows. */
  reader?: Reader;
}

/** Canonical where it exists, else as it is written. */
export function canonical(files: FileView, path: string): string {
  const resolved = files.resolve(path);
  return resolved.ok ? resolved.value : posix.normalize(path);
}

export interface InstancePrediction {
  prediction: Prediction;
  pathData?: string;
  config: string;
  start: Start;
  /** Whose the main files and path.data are. */
  places: FileOwners;
  /** Main files that it may not read: clauses for people. */
  denied?: readonly string[];
}

/** Owner and mode of what a Filebeat is told to read and write, as far as they can be looked at. */
export interface FileOwners {
  /** In the order given to Filebeat. */
  main: readonly (FileStat | undefined)[];
  data?: FileStat;
}

const noOwners: FileOwners = { main: [] };

export function readOwners(files: FileView, mainFiles: readonly string[], pathData: string | undefined): FileOwners {
  const statOf = (path: string) => {
    const stat = files.stat(path);
    return stat.ok ? stat.value : undefined;
  };
  const data = pathData === undefined ? undefined : statOf(pathData);
  return { main: mainFiles.map(statOf), ...(data === undefined ? {} : { data }) };
}

export interface PredictOptions {
  running?: Running;
  /** See `ReadOptions`. */
  view?: string | undefined;
  /** Where it sees other files than its root has. */
  hidden?: readonly HiddenPath[];
  /** Of one that is not seen running: who has to be able to read its main files. */
  runsAs?: ServiceUser | undefined;
  /** Who reads the files: what he may not read is unknown. */
  reader?: Reader | undefined;
  /** What its owner's predictions may still cost in this pass. */
  budget?: Budget;
}

/** Units of work of one owner: see `work.ts`. */
export interface Budget {
  /** What one prediction may cost at most. */
  each: number;
  left(): number;
  use(units: number): void;
}

const unlimited: Budget = { each: limits.predictionWork, left: () => limits.predictionWork, use: () => undefined };

export function predictInstance(
  kept: FileCache,
  key: string,
  command: Command,
  rootDir: string,
  { running, view, hidden = [], runsAs, reader, budget = unlimited }: PredictOptions = {},
): InstancePrediction {
  const answer = (host: FileView) => {
    const files = seenBy(host, hidden);
    const subject = configLabel(command.argv);
    const whole = predictWithin(budget, subject, files, (counted) =>
      running === undefined ? predictDown(command, counted) : predictRunning(command, counted, running),
    );
    const config = configLabel(command.argv, releaseOf(whole));
    const pathData = canonical(files, whole.paths.data);
    const places = readOwners(files, whole.mainFiles ?? [], pathData);
    const prediction = cutTexts(predictionWithin(whole, config), limits.textChars);
    const denied = runsAs === undefined ? [] : unreadableFor(runsAs, files, whole.mainFiles ?? []);
    const known = { prediction, pathData: cutText(pathData, limits.textChars), config, places };
    return denied.length === 0 ? known : { ...known, denied };
  };
  const start = { command, rootDir, ...(reader === undefined ? {} : { reader }) };
  const read = () => {
    try {
      const question = [command, running, hidden, runsAs];
      const found = kept.read(`predict ${key}`, question, rootDir, answer, { view, reader });
      return { ...found, start, places: reader === undefined ? found.places : fileOwnersOf(found) };
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      const config = configLabel(command.argv);
      return { prediction: unforetold(config, noRoom(config)), config, start, places: noOwners };
    }
  };
  /** Whose they are counts, whoever may look at them. */
  function fileOwnersOf({ prediction, pathData }: Pick<InstancePrediction, 'prediction' | 'pathData'>): FileOwners {
    const { mainFiles = [] } = prediction;
    const look = (host: FileView) => readOwners(seenBy(host, hidden), mainFiles, pathData);
    return kept.read(`places ${key}`, [mainFiles, pathData, hidden], rootDir, look, { view });
  }
  return containDefect(read, (place) => {
    const config = containDefect(
      () => configLabel(command.argv),
      () => 'filebeat.yml',
    );
    return { prediction: unforetold(config, defectGap(config, place)), config, start, places: noOwners };
  });
}

/** Thrown so that nothing is kept of it: the next pass has room again. */
class NoRoom extends Error {}

/** Beyond what one may cost: unknown. Where others of the same owner have used up what there is for this pass: not now. */
function predictWithin(
  budget: Budget,
  config: string,
  files: FileView,
  act: (files: FileView) => Prediction,
): Prediction {
  const room = Math.min(budget.each, budget.left());
  const work = createWork(room);
  try {
    return act(frozenView(withWork(files, work)));
  } catch (error) {
    if (!(error instanceof WorkSpent)) throw error;
    if (room < budget.each) throw new NoRoom();
    return unforetold(config, overBudget(config, room));
  } finally {
    budget.use(Math.min(work.spent(), room));
  }
}

function noRoom(config: string): Gap {
  return { reason: 'limit', subject: config, detail: 'its user’s others cost all that there is for him in one look' };
}

function overBudget(config: string, units: number): Gap {
  return {
    reason: 'limit',
    subject: config,
    detail: `more work than ${units} steps: what it asks for is not worked out`,
  };
}

/** Nothing is known of it but that it is there. */
function unforetold(config: string, gap: Gap): Prediction {
  return {
    outcome: 'unknown',
    reason: { code: gap.reason === 'limit' ? 'yaml-limit' : 'defect' },
    listeners: [],
    faults: [],
    files: [],
    mainFiles: config.split(','),
    release: { source: 'assumed' },
    paths: { home: '', config: '', data: '', logs: '' },
    gaps: [gap],
  };
}

export function defectGap(subject: string, place: string): Gap {
  return { reason: 'malformed', subject, detail: `internal error (${place})` };
}

/** What its release is known to be, or was taken for. */
function releaseOf({ release, guessed }: Prediction): string | undefined {
  return release.version ?? guessed;
}

/** Of one prediction; the rest of it stands. */
function predictionWithin(whole: Prediction, config: string, most: number = limits.listeners): Prediction {
  const doubts = whole.doubts?.slice(0, limits.troubles).map(({ costs, ...doubt }) => ({
    ...doubt,
    ...(costs === undefined ? {} : { costs: costs.slice(0, limits.troubles) }),
  }));
  const prediction = doubts === undefined ? whole : { ...whole, doubts };
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
