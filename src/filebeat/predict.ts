/**
 * A command line, an environment and the files → every socket that this Filebeat will open, or the one reason why
 * it would not start. Synchronous; never throws.
 */
import { posix } from 'node:path';
import type { Fault, Prediction } from '../model/model.js';
import type { Command } from './config/command.js';
import { type DetectedRelease, detectRelease } from './detect-release.js';
import type { FileView } from './files/file-view.js';
import { frozenView } from './files/frozen-view.js';
import type { Loader } from './files/load.js';
import { applies, newestRelease, parseRelease } from './releases/releases.js';
import { predictCommand, type RunOptions } from './run.js';
import type { Clash } from './tree/build.js';

export interface PredictOptions extends RunOptions {
  /** Overrides the release that the files name: `8.19.21`. */
  release?: string;
  /** With another `release`: the one whose module folder lies in the home. Differences come from the fileset table. */
  installed?: string;
}

/** Reads only `view` and caches nothing. To predict several times from one scan, pass a `frozenView`. */
export function predict(command: Command, view: FileView, options: PredictOptions = {}): Prediction {
  const files = frozenView(view);
  const first = predictOnce(command, files, options, false);
  const [clash] = first.clashes;
  if (!clash) return first.prediction;
  // Filebeat applies two spellings of one setting in random order. If the order matters, the result is unknown.
  const second = predictOnce(command, files, options, true);
  if (outcomeKey(first.prediction) === outcomeKey(second.prediction)) return first.prediction;
  const reason = { code: 'ambiguous-setting', subject: clash.path, at: clash.at };
  return { ...first.prediction, outcome: 'ambiguous', reason, listeners: [] };
}

function outcomeKey({ outcome, listeners }: Prediction): string {
  const sockets = listeners.map(({ protocol, address, port, target }) =>
    JSON.stringify([protocol, address, port, target]),
  );
  return [outcome, ...sockets.sort()].join('\n');
}

interface Predicted {
  prediction: Prediction;
  clashes: Clash[];
}

function predictOnce(command: Command, files: FileView, options: PredictOptions, reversed: boolean): Predicted {
  const home = likelyHome(command);
  const predicted = predictIn(home, command, files, options, reversed);
  const { paths, release } = predicted.prediction;
  if (paths.home === home || release.source !== 'assumed') return predicted;
  // Only the main file names the home; look there for the release.
  const detected = detectRelease(paths.home, files, options.running, programOf(command));
  return detected.release.version ? predictIn(paths.home, command, files, options, reversed) : predicted;
}

/** `home`: where to look for the release. `reversed`: the other order of spellings. */
function predictIn(
  home: string,
  command: Command,
  files: FileView,
  options: PredictOptions,
  reversed: boolean,
): Predicted {
  const { release, gaps }: DetectedRelease = options.release
    ? { release: { version: options.release, source: 'option' }, gaps: [] }
    : detectRelease(home, files, options.running, programOf(command));
  const version = parseRelease(release.version) ?? newestRelease;
  const installed = parseRelease(options.installed);
  const loader: Loader = {
    files,
    release: version,
    ...(installed ? { installed } : {}),
    rules: {
      maxIndex: applies('index-limit', version) ? 1024 : Number.MAX_SAFE_INTEGER,
      ...(reversed ? { reversed } : {}),
    },
    strictUid: undefined,
    seen: [],
    gaps: [...gaps],
    clashes: [],
    ignored: [],
  };
  const paths = { home, config: home, data: posix.join(home, 'data'), logs: posix.join(home, 'logs') };
  const empty: Prediction = {
    outcome: 'runs',
    listeners: [],
    faults: [],
    files: loader.seen,
    release,
    paths,
    gaps: loader.gaps,
  };
  const whole = { ...empty, ...predictCommand(command, loader, options) };
  const isReported = ({ code, at }: Fault) =>
    whole.faults.some((fault) => fault.code === code && fault.at?.file === at?.file && fault.at?.line === at?.line);
  // Without listeners it is a warning only: whether Filebeat loses a listener is unknown.
  const more = loader.ignored.flatMap(({ fault }) => (isReported(fault) ? [] : [{ ...fault, costs: [] }]));
  const prediction = more.length === 0 ? whole : { ...whole, faults: [...whole.faults, ...more] };
  return { prediction, clashes: loader.clashes };
}

/** The program's absolute path; undefined for a bare name, which the shell searched for in PATH. */
function programOf({ argv, cwd }: Command): string | undefined {
  const [program = ''] = argv;
  return program.includes('/') ? posix.resolve(cwd, program) : undefined;
}

/** The home according to the command line, before the release is known. */
function likelyHome({ argv, cwd }: Command): string {
  let home = posix.dirname(argv[0] ?? '');
  for (const [index, arg] of argv.entries()) {
    const flag = /^--?path\.home(?:=([\s\S]*))?$/.exec(arg);
    const override = /^path\.home=([\s\S]+)$/.exec(arg);
    const stated = flag ? (flag[1] ?? argv[index + 1]) : override?.[1];
    if (stated) home = stated;
  }
  return posix.resolve(cwd, home);
}
