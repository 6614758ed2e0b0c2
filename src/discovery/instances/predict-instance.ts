/** One way to start a Filebeat → the sockets it would open; cached as long as the files it depends on stay the same. */
import { posix } from 'node:path';
import type { Command } from '../../filebeat/config/command.js';
import type { Running } from '../../filebeat/detect-release.js';
import type { FileStat, FileView } from '../../filebeat/files/file-view.js';
import { frozenView } from '../../filebeat/files/frozen-view.js';
import { createWork, WorkSpent, withWork } from '../../filebeat/files/work.js';
import { predictDown, predictRunning } from '../../filebeat/unknown-release.js';
import { limits, tooMany } from '../../model/limits.js';
import type { Gap, Prediction } from '../../model/model.js';
import type { FileCache } from '../../proc/files/file-cache.js';
import type { Reader } from '../../proc/permissions.js';
import { cutText, cutTexts } from '../../runtime/cut-text.js';
import { containDefect } from '../../runtime/defect.js';
import { perObject } from '../../runtime/unchanged.js';
import { defectGap } from '../defect-gap.js';
import { type HiddenPath, seenBy } from '../systemd/unit-view.js';
import { configLabel } from './config-label.js';
import { type ServiceUser, unreadableFor } from './readable.js';

/** The input of a prediction. It contains an environment and must stay inside the program. */
export interface Start {
  command: Command;
  /** Path of the directory that is `/` for it. */
  rootDir: string;
  /** The user who reads its files; absent: unrestricted, or unknown. */
  reader?: Reader;
}

/** The resolved path; the normalized one where it does not exist. */
export function canonical(files: FileView, path: string): string {
  const resolved = files.resolve(path);
  return resolved.ok ? resolved.value : posix.normalize(path);
}

export interface InstancePrediction {
  prediction: Prediction;
  /** Canonical. */
  pathData?: string;
  config: string;
  start: Start;
  owners: FileOwners;
  /** For each main file that `runsAs` may not read, a clause for people. */
  denied?: readonly string[];
}

/** Owner and mode of the main files and of path.data, where they can be read. */
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
  /** Paths at which it sees other files than its root has. */
  hidden?: readonly HiddenPath[];
  /** For an instance without a process: the user who must be able to read its main files. */
  runsAs?: ServiceUser | undefined;
  /** The user who reads the files: what that user may not read is unknown. */
  reader?: Reader | undefined;
  /** The work that is left for predictions of its owner in this scan. */
  budget?: Budget;
}

/** Units of work of one owner: see `work.ts`. */
export interface Budget {
  /** The most that one prediction may use. */
  each: number;
  left(): number;
  use(units: number): void;
}

const unlimited: Budget = { each: limits.predictionWork, left: () => limits.predictionWork, use: () => undefined };

/** `key`: the cache entry of this command. Never throws. */
export function predictInstance(
  cache: FileCache,
  key: string,
  command: Command,
  rootDir: string,
  options: PredictOptions = {},
): InstancePrediction {
  const { running, view, hidden = [], runsAs, reader } = options;
  const start = startOf(command, rootDir, reader);
  const unknown = (config: string, gap: Gap): InstancePrediction => ({
    prediction: unknownPrediction(config, gap),
    config,
    start,
    owners: noOwners,
  });

  /** Read without the restrictions of `reader`. */
  function ownersOf({ prediction, pathData }: Answer): FileOwners {
    const { mainFiles = [] } = prediction;
    const answer = (host: FileView) => readOwners(seenBy(host, hidden), mainFiles, pathData);
    return cache.read(`owners ${key}`, [mainFiles, pathData, hidden], rootDir, answer, { view });
  }

  function predict(): InstancePrediction {
    try {
      const question = [command, running, hidden, runsAs];
      const answer = (host: FileView) => predictFrom(seenBy(host, hidden), command, options);
      const predicted = cache.read(`predict ${key}`, question, rootDir, answer, { view, reader });
      return withStart(predicted, start, reader === undefined ? predicted.owners : ownersOf(predicted));
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      const config = configLabel(command.argv);
      return unknown(config, budgetSpent(config));
    }
  }

  return containDefect(predict, (position) => {
    const config = containDefect(
      () => configLabel(command.argv),
      () => 'filebeat.yml',
    );
    return unknown(config, defectGap(config, position));
  });
}

type Answer = Omit<InstancePrediction, 'start'>;

/** The same object for the same command. */
const startOf = perObject(
  (command: Command, rootDir: string, reader: Reader | undefined): Start => ({
    command,
    rootDir,
    ...(reader === undefined ? {} : { reader }),
  }),
);

/** The same object for the same answer. */
const withStart = perObject(
  (answer: Answer, start: Start, owners: FileOwners): InstancePrediction => ({ ...answer, start, owners }),
);

function predictFrom(files: FileView, command: Command, options: PredictOptions): Answer {
  const { running, runsAs, budget = unlimited } = options;
  const whole = predictWithin(budget, configLabel(command.argv), files, (counted) =>
    running === undefined ? predictDown(command, counted) : predictRunning(command, counted, running),
  );
  const { mainFiles = [], release, guessed } = whole;
  const config = configLabel(command.argv, release.version ?? guessed);
  const pathData = canonical(files, whole.paths.data);
  const owners = readOwners(files, mainFiles, pathData);
  const denied = runsAs === undefined ? [] : unreadableFor(runsAs, files, mainFiles);
  return {
    prediction: cutTexts(withinLimits(whole, config), limits.textChars),
    pathData: cutText(pathData, limits.textChars),
    config,
    owners,
    ...(denied.length === 0 ? {} : { denied }),
  };
}

/** The owner has no work left in this scan. It is thrown, so that the cache keeps no answer and the next scan tries again. */
class BudgetSpent extends Error {}

/** A prediction that needs more work than one may use is unknown. Throws `BudgetSpent` where less than that was left. */
function predictWithin(
  budget: Budget,
  config: string,
  files: FileView,
  predict: (files: FileView) => Prediction,
): Prediction {
  const units = Math.min(budget.each, budget.left());
  const work = createWork(units);
  try {
    return predict(frozenView(withWork(files, work)));
  } catch (error) {
    if (!(error instanceof WorkSpent)) throw error;
    if (units < budget.each) throw new BudgetSpent();
    return unknownPrediction(config, tooMuchWork(config, units));
  } finally {
    budget.use(Math.min(work.spent(), units));
  }
}

function budgetSpent(config: string): Gap {
  return {
    reason: 'limit',
    subject: config,
    detail: 'other instances of its user need all the work that a scan allows for one user',
  };
}

function tooMuchWork(config: string, units: number): Gap {
  return {
    reason: 'limit',
    subject: config,
    detail: `predicting it takes more than ${units} steps; its listeners are unknown`,
  };
}

/** Nothing is known but that the instance exists. */
function unknownPrediction(config: string, gap: Gap): Prediction {
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

/** The same object where it is within `limits`; otherwise shortened, with gaps that say so. */
function withinLimits(whole: Prediction, config: string): Prediction {
  const most = limits.listeners;
  const doubts = whole.doubts?.slice(0, limits.troubles).map(({ costs, ...doubt }) => ({
    ...doubt,
    ...(costs === undefined ? {} : { costs: costs.slice(0, limits.troubles) }),
  }));
  const prediction = doubts === undefined ? whole : { ...whole, doubts };
  const { listeners, gaps, faults } = prediction;
  const count = listeners.length + faults.reduce((sum, { costs = [] }) => sum + costs.length, 0);
  if (count <= most && gaps.length <= limits.troubles && faults.length <= limits.troubles) return prediction;
  let left = most - Math.min(most, listeners.length);
  const shortened = faults.slice(0, limits.troubles).map((fault) => {
    const costs = fault.costs?.slice(0, left);
    left -= costs?.length ?? 0;
    return costs === undefined ? fault : { ...fault, costs };
  });
  return {
    ...prediction,
    listeners: listeners.slice(0, most),
    faults: shortened,
    gaps: [
      ...(count > most ? [tooMany(`listeners of ${config}`, count, most)] : []),
      ...(gaps.length > limits.troubles ? [tooMany(`gaps of ${config}`, gaps.length, limits.troubles)] : []),
      ...gaps.slice(0, limits.troubles),
    ],
  };
}
