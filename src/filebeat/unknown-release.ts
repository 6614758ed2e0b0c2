/**
 * What is made of a Filebeat whose release nothing tells. The newest rules are assumed; where they refuse what older ones
 * take, nobody knows, and both outcomes are said. Never waits.
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
 * Of a process that runs: it is of no release under which it could not. Of those under which it could, the one that takes
 * most of what its files ask for, the newest of several: what is missing then, the kernel tells.
 */
export function predictRunning(command: Command, files: FileView, running: Running): Prediction {
  const { newest, taker } = newestAndTaker((tried) =>
    // A release that is only tried tells nothing unless the process could run under it.
    predict(command, files, tried.release === undefined ? { running } : tried),
  );
  if (taker === undefined) return newest;
  return withDoubts({ ...taker, release: { source: 'hint' } }, newest.outcome === 'exits' ? [] : lossesOf(newest));
}

/** Of one that does not run. */
export function predictDown(command: Command, files: FileView): Prediction {
  const { newest, taker } = newestAndTaker((release) => predict(command, files, release));
  if (taker === undefined) return newest;
  if (newest.outcome !== 'exits') return withDoubts({ ...taker, release: newest.release }, lossesOf(newest));
  const { reason } = newest;
  const why = reason === undefined ? '' : ` (${sentence(reason)})`;
  const subject = `Filebeat ${taker.guessed} would start with its files, newer ones would refuse them${why}`;
  return { ...taker, outcome: 'ambiguous', reason: undecided(subject, reason), release: newest.release };
}

/** `taker`: where the release is not known, what a release makes of it that takes more than the newest one does. */
function newestAndTaker(predictWith: PredictWith): { newest: Prediction; taker?: Prediction } {
  const first = withAnswers(() => predictWith({}));
  const newest = first.result;
  if (newest.release.source !== 'assumed') return { newest };
  let least = costOf(newest);
  let taker: Prediction | undefined;
  if (least === 0) return { newest };
  for (const { release, prediction } of others(predictWith, [first.answers])) {
    const cost = costOf(prediction);
    if (cost >= least) continue;
    least = cost;
    taker = { ...prediction, guessed: release };
    if (cost === 0) break;
  }
  return { newest, ...(taker === undefined ? {} : { taker }) };
}

/** Newest first; a release that differs in nothing that was asked makes the same of it. */
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

function withDoubts(taker: Prediction, losses: readonly Refusal[]): Prediction {
  const own = new Set(taker.faults.map(keyOf));
  const doubts = losses.filter((loss) => !own.has(keyOf(loss))).map((loss) => doubtOf(loss, taker));
  return doubts.length === 0 ? taker : { ...taker, doubts };
}

function doubtOf(loss: Refusal, { guessed }: Prediction): Refusal {
  const subject = `Filebeat ${guessed} would take all of it, newer ones would go without something (${sentence(loss)})`;
  const costs = loss.costs?.map(({ refused: _, ...listener }) => listener);
  return { ...undecided(subject, loss), ...(costs === undefined ? {} : { costs }) };
}

function undecided(subject: string, at: Fault | undefined): Fault {
  return { code: 'release-decides', subject, ...(at?.at === undefined ? {} : { at: at.at }) };
}

/** In parentheses, within another sentence. */
const sentence = (fault: Fault) => faultText(fault).replace(/\.$/, '');

/** Newest first; one alone where all known releases make the same of the files. */
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
