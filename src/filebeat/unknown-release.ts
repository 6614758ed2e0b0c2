/**
 * Predictions for a Filebeat of unknown release. They assume the newest rules; where older rules accept what the newest
 * refuse, the result is unknown and both outcomes are reported.
 */
import { lossesOf } from '../model/expected.js';
import type { Fault, Prediction, Refusal, ReleaseOutcome } from '../model/model.js';
import type { Command } from './config/command.js';
import type { Running } from './detect-release.js';
import { faultText } from './faults.js';
import type { FileView } from './files/file-view.js';
import { predict } from './predict.js';
import { answersAlike, knownReleases, parseRelease, type ReleaseAnswers, withAnswers } from './releases/releases.js';

type PredictWith = (options: { release?: string }) => Prediction;

/**
 * For a running process. It cannot be of a release under which it could not run. Of the other releases, assumes the one
 * that accepts most of its files, and the newest of several; the kernel shows which sockets are missing.
 */
export function predictRunning(command: Command, files: FileView, running: Running): Prediction {
  const { newest, best } = newestAndBest((options) =>
    // For another release, predict a fresh start: it counts only if the process could run.
    predict(command, files, options.release === undefined ? { running } : options),
  );
  if (best === undefined) return newest;
  return withDoubts({ ...best, release: { source: 'hint' } }, newest.outcome === 'exits' ? [] : lossesOf(newest));
}

/** For an instance that does not run. */
export function predictDown(command: Command, files: FileView): Prediction {
  const { newest, best } = newestAndBest((options) => predict(command, files, options));
  if (best === undefined) return newest;
  if (newest.outcome !== 'exits') return withDoubts({ ...best, release: newest.release }, lossesOf(newest));
  const { reason } = newest;
  const why = reason === undefined ? '' : ` (${sentence(reason)})`;
  const subject = `Filebeat ${best.guessed} would start with its files, newer ones would refuse them${why}`;
  return { ...best, outcome: 'ambiguous', reason: undecided(subject, reason), release: newest.release };
}

/**
 * `best`: if the release is unknown, the prediction for the release that accepts most, if that is more than the
 * newest.
 */
function newestAndBest(predictWith: PredictWith): { newest: Prediction; best?: Prediction } {
  const first = withAnswers(() => predictWith({}));
  const newest = first.result;
  if (newest.release.source !== 'assumed') return { newest };
  let least = costOf(newest);
  let best: Prediction | undefined;
  if (least === 0) return { newest };
  for (const { release, prediction } of others(predictWith, [first.answers])) {
    const cost = costOf(prediction);
    if (cost >= least) continue;
    least = cost;
    best = { ...prediction, guessed: release };
    if (cost === 0) break;
  }
  return { newest, ...(best === undefined ? {} : { best }) };
}

/** Predictions for other releases, newest first; skips releases whose rules give a known result. */
function* others(
  predictWith: PredictWith,
  known: ReleaseAnswers[],
): Generator<{ release: string; prediction: Prediction }> {
  for (const release of knownReleases) {
    const version = parseRelease(release)!;
    if (known.some((answers) => answersAlike(answers, version))) continue;
    const { result: prediction, answers } = withAnswers(() => predictWith({ release }));
    known.push(answers);
    yield { release, prediction };
  }
}

function costOf(prediction: Prediction): number {
  return prediction.outcome === 'exits' ? Number.POSITIVE_INFINITY : lossesOf(prediction).length;
}

const keyOf = ({ code, subject, at }: Fault) => JSON.stringify([code, subject, at?.file, at?.line]);

/** Adds as doubts what only the newest release refuses. */
function withDoubts(best: Prediction, losses: readonly Refusal[]): Prediction {
  const known = new Set(best.faults.map(keyOf));
  const doubts = losses.filter((loss) => !known.has(keyOf(loss))).map((loss) => doubtOf(loss, best));
  return doubts.length === 0 ? best : { ...best, doubts };
}

function doubtOf(loss: Refusal, { guessed }: Prediction): Refusal {
  const subject = `Filebeat ${guessed} would accept all of it, newer ones would refuse a part (${sentence(loss)})`;
  const costs = loss.costs?.map(({ refused: _, ...listener }) => listener);
  return { ...undecided(subject, loss), ...(costs === undefined ? {} : { costs }) };
}

function undecided(subject: string, at: Fault | undefined): Fault {
  return { code: 'release-decides', subject, ...(at?.at === undefined ? {} : { at: at.at }) };
}

/** For use in parentheses, inside another sentence. */
const sentence = (fault: Fault) => faultText(fault).replace(/\.$/, '');

/** Outcomes by ranges of releases, newest first; a single one if all known releases agree. */
export function outcomesByRelease(predictWith: PredictWith): ReleaseOutcome[] {
  const known: { answers: ReleaseAnswers; prediction: Prediction }[] = [];
  const groups: ReleaseOutcome[] = [];
  for (const release of knownReleases) {
    const version = parseRelease(release)!;
    let same = known.find(({ answers }) => answersAlike(answers, version));
    if (same === undefined) {
      const { result: prediction, answers } = withAnswers(() => predictWith({ release }));
      same = { answers, prediction };
      known.push(same);
    }
    const last = groups.at(-1);
    if (last !== undefined && essence(last.prediction) === essence(same.prediction)) last.from = release;
    else groups.push({ from: release, to: release, prediction: same.prediction });
  }
  return groups;
}

function essence(prediction: Prediction): string {
  const { outcome, reason, listeners } = prediction;
  const sockets = listeners.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`).sort();
  return JSON.stringify([outcome, reason && keyOf(reason), sockets, lossesOf(prediction).map(keyOf).sort()]);
}
