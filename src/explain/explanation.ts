/** Builds the explanation of one Filebeat from its prediction, and the exit code of `explain`. Pure. */
import { newestRelease, parseRelease } from '../filebeat/releases/releases.js';
import { lossesOf } from '../model/expected.js';
import type { Fault, Listener, Prediction } from '../model/model.js';
import type { ExplainedListener, Explanation, ListenerStatus, Subject } from './explained.js';
import { racesOf } from './races.js';
import { ifTakenText, isVital } from './sentences.js';

/** Faults that cost an input or a file, and unreadable files; a missing module folder has a line of its own. */
export function troublesOf({ faults }: Prediction): Fault[] {
  return faults.filter(({ code }) => code !== 'no-module-folder');
}

/** Costs no declared listener. */
const isHarmless = ({ code }: Fault) => code === 'no-enabled-fileset';

function statusOf({ target }: Listener): ListenerStatus {
  switch (target.kind) {
    case 'socket':
      return 'resolved';
    // The port is known, but a name server decides the address.
    case 'name':
      return 'unresolved';
    default:
      return target.kind;
  }
}

export function explanation(subject: Subject, prediction: Prediction): Explanation {
  const { listeners, release } = prediction;
  const version = parseRelease(release.version) ?? newestRelease;
  return {
    subject,
    prediction,
    listeners: listeners.map((listener) => {
      const ifTaken = ifTakenText(listener, version);
      return {
        listener,
        status: statusOf(listener),
        ...(ifTaken === undefined ? {} : { ifTaken }),
        vital: isVital(listener, version),
        races: racesOf(listener, listeners),
      };
    }),
  };
}

/** Part of the prediction cannot be determined from outside. */
function isUncertain({ prediction, listeners }: Explanation): boolean {
  const { outcome } = prediction;
  if (outcome === 'ambiguous' || outcome === 'unknown' || outcome === 'dynamic') return true;
  if (outcome === 'exits') return false;
  const unseen = prediction.gaps.length > 0 || prediction.faults.some((fault) => fault.code === 'file-unseen');
  return (
    unseen ||
    prediction.doubts !== undefined ||
    listeners.some(({ status, races }) => status === 'unresolved' || races.some((race) => race.winner === 'chance'))
  );
}

/** Its files are valid, but it would not start on this host. */
export function isBlocked({ prediction, listeners }: Explanation): boolean {
  const fails = ({ vital, collisions, onHost }: ExplainedListener) =>
    vital && (onHost === false || (collisions?.length ?? 0) > 0);
  return prediction.outcome !== 'exits' && listeners.some(fails);
}

/** Exit code. 1: one of them would not start, would run without an input, or would collide; 3: something cannot be determined; else 0. */
export function explainCode(all: readonly Explanation[]): 0 | 1 | 3 {
  const fails = (one: Explanation) =>
    one.prediction.outcome === 'exits' ||
    isBlocked(one) ||
    lossesOf(one.prediction).some((fault) => !isHarmless(fault)) ||
    one.listeners.some(({ collisions }) => (collisions?.length ?? 0) > 0);
  if (all.some(fails)) return 1;
  return all.some(isUncertain) ? 3 : 0;
}
