/** What one Filebeat asks for, put together for `explain`: its verdict, each listener with what speaks against it. Pure. */
import { newestRelease, parseRelease } from '../filebeat/releases/releases.js';
import { lossesOf } from '../model/expected.js';
import type { Fault, Listener, Prediction } from '../model/model.js';
import type { ExplainedListener, Explanation, ListenerStatus, Subject } from './explained.js';
import { racesOf } from './races.js';
import { ifTakenText, isVital } from './sentences.js';

/** Things that cost an input or a file, and files that could not be seen; a module folder that is missing is told on its own. */
export function troublesOf({ faults }: Prediction): Fault[] {
  return faults.filter(({ code }) => code !== 'no-module-folder');
}

/** Nothing that was asked for is lost by it. */
const isHarmless = ({ code }: Fault) => code === 'no-enabled-fileset';

function statusOf({ target }: Listener): ListenerStatus {
  switch (target.kind) {
    case 'socket':
      return 'resolved';
    // The port is known, the address is up to a name server.
    case 'name':
      return 'unresolved';
    default:
      return target.kind;
  }
}

export function explanation(subject: Subject, prediction: Prediction): Explanation {
  const { listeners, release } = prediction;
  const version = (release.version === undefined ? undefined : parseRelease(release.version)) ?? newestRelease;
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

/** Something about it cannot be told from outside. */
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

/** It would not start on this host, though its files are fine. */
export function isBlocked({ prediction, listeners }: Explanation): boolean {
  const fails = ({ vital, collisions, onHost }: ExplainedListener) =>
    vital && (onHost === false || (collisions?.length ?? 0) > 0);
  return prediction.outcome !== 'exits' && listeners.some(fails);
}

/** 1: one of them could not start, or would run without an input, or meets somebody on the host; 3: something cannot be told; else 0. */
export function explainCode(all: readonly Explanation[]): 0 | 1 | 3 {
  const fails = (one: Explanation) =>
    one.prediction.outcome === 'exits' ||
    isBlocked(one) ||
    lossesOf(one.prediction).some((fault) => !isHarmless(fault)) ||
    one.listeners.some(({ collisions }) => (collisions?.length ?? 0) > 0);
  if (all.some(fails)) return 1;
  return all.some(isUncertain) ? 3 : 0;
}
