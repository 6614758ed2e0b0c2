/** Predicted faults that a running process has disproved: they do not count again for the same content and release. */
import type { Fault, Listener, Prediction, Refusal, Refutation } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';

/** A refutation with the content and release it holds for; undefined where no content was read. */
export function refutationOf(fault: Fault, prediction: Prediction): Refutation | undefined {
  const content = contentOf(fault, prediction);
  if (content === undefined) return undefined;
  const { code, subject, at } = fault;
  return {
    code,
    ...(subject === undefined ? {} : { subject }),
    ...(at === undefined ? {} : { at }),
    content,
    release: prediction.release.version ?? '',
  };
}

/** Digest of the file with the fault; for a fault on the command line, the digests of all main files. */
function contentOf({ at }: Fault, { files }: Prediction): string | undefined {
  const content = files.find(({ path, digest }) => path === at?.file && digest !== undefined)?.digest;
  if (content !== undefined) return content;
  const main = files.filter(({ role, digest }) => role === 'main' && digest !== undefined);
  return main.length === 0 ? undefined : main.map(({ digest }) => digest).join(' ');
}

export function isRefuted(fault: Fault, prediction: Prediction, refutations: readonly Refutation[]): boolean {
  if (refutations.length === 0) return false;
  const now = refutationOf(fault, prediction);
  return (
    now !== undefined &&
    refutations.some(
      (then) =>
        then.code === now.code &&
        then.subject === now.subject &&
        then.at?.file === now.at?.file &&
        then.at?.line === now.at?.line &&
        then.content === now.content &&
        then.release === now.release,
    )
  );
}

const corrected = perObject((prediction: Prediction, key: string): Prediction => {
  const refutations = JSON.parse(key) as Refutation[];
  return withoutRefusals(withoutReason(prediction, refutations), refutations);
});

/** The prediction without faults that a running process has disproved; the same object for equal arguments. */
export function believe(prediction: Prediction, refutations: readonly Refutation[]): Prediction {
  return refutations.length === 0 ? prediction : corrected(prediction, JSON.stringify(refutations));
}

function withoutReason(prediction: Prediction, refutations: readonly Refutation[]): Prediction {
  const { reason, declared, ...others } = prediction;
  if (prediction.outcome !== 'exits' || reason === undefined || declared === undefined) return prediction;
  if (!isRefuted(reason, prediction, refutations)) return prediction;
  const { listeners, faults, files } = declared;
  const known = new Set(others.files.map(({ path }) => path));
  const more = files.filter(({ path }) => !known.has(path));
  return { ...others, outcome: 'runs', listeners, faults, files: [...others.files, ...more], refuted: [reason] };
}

function withoutRefusals(prediction: Prediction, refutations: readonly Refutation[]): Prediction {
  const wrong = prediction.faults.filter((fault) => isRefuted(fault, prediction, refutations));
  if (wrong.length === 0) return prediction;
  return {
    ...prediction,
    listeners: [...prediction.listeners, ...wrong.flatMap(({ costs = [] }) => costs.map(accepted))],
    faults: prediction.faults.filter((fault) => !wrong.includes(fault)),
    refuted: [...(prediction.refuted ?? []), ...wrong.map(faultOf)],
  };
}

function accepted({ refused: _, ...listener }: Listener): Listener {
  return listener;
}

function faultOf({ costs: _, ...fault }: Refusal): Fault {
  return fault;
}
