/** The same files under two releases: whether Filebeat starts, and which listeners are lost, gained or moved. Pure. */
import type { Fault, Listener, Prediction } from '../model/model.js';
import { positionText } from '../words/locations.js';
import type { Comparison, Subject } from './explained.js';
import { troublesOf } from './explanation.js';
import { racesOf } from './races.js';

/** `before`: under the installed release; `after`: under `release`, undefined without files to read. */
export function compare(
  subject: Subject,
  before: Prediction,
  after: Prediction | undefined,
  release: string,
): Comparison {
  const listeners = after?.listeners ?? [];
  const pairs = pairUp(before.listeners, listeners);
  const losses = [troublesOf(before), after === undefined ? [] : troublesOf(after)] as const;
  const without = (these: readonly Fault[], those: readonly Fault[]) =>
    these.filter((one) => !those.some((other) => faultKey(one) === faultKey(other)));
  const both = before.outcome !== 'exits' && after?.outcome !== 'exits';
  const clashing = listeners.filter((listener) => loses(listener, listeners) && !wasLosing(listener, before.listeners));
  const compared = {
    subject,
    before,
    ...(after === undefined ? {} : { after }),
    release,
    ...pairs,
    clashing: both ? clashing : [],
    newFaults: both ? without(losses[1], losses[0]) : [],
    goneFaults: both ? without(losses[0], losses[1]) : [],
  };
  return { ...compared, answer: answerOf(compared) };
}

function answerOf(one: Omit<Comparison, 'answer'>): Comparison['answer'] {
  const { before, after, lost, gained, moved, clashing } = one;
  if (after === undefined || isOpaque(before) || isOpaque(after)) return 'unknown';
  if ((before.outcome === 'exits') !== (after.outcome === 'exits')) return 'changes';
  if (lost.length + gained.length + moved.length + clashing.length > 0) return 'changes';
  const uncertain = (prediction: Prediction) =>
    prediction.outcome === 'dynamic' ||
    prediction.gaps.length > 0 ||
    prediction.listeners.some(({ target }) => target.kind === 'unresolved');
  return uncertain(before) || uncertain(after) ? 'unknown' : 'same';
}

/** Neither known whether it would start nor which listeners it would have. */
function isOpaque({ outcome }: Prediction): boolean {
  return outcome === 'unknown' || outcome === 'ambiguous';
}

const declaration = (listener: Listener) => `${positionText(listener.declaredIn)}|${listener.input}`;

function endpoint({ protocol, address, port, target }: Listener): string {
  return [protocol, address, port ?? '', JSON.stringify(target)].join('|');
}

function has(listeners: readonly Listener[], { protocol, address, port, target }: Listener): boolean {
  return listeners.some(
    (one) =>
      target.kind === 'socket' &&
      one.target.kind === 'socket' &&
      one.protocol === protocol &&
      one.address === address &&
      one.port === port,
  );
}

function pairUp(
  before: readonly Listener[],
  after: readonly Listener[],
): Pick<Comparison, 'lost' | 'gained' | 'moved' | 'unchanged'> {
  const unpaired = [...after];
  const take = (matches: (listener: Listener) => boolean): Listener | undefined => {
    const at = unpaired.findIndex(matches);
    return at < 0 ? undefined : unpaired.splice(at, 1)[0];
  };
  const unchanged = (one: Listener) =>
    take((other) => declaration(one) === declaration(other) && endpoint(one) === endpoint(other)) !== undefined;
  // Unchanged listeners are paired first, so that another listener of the same declaration is not mistaken for a move.
  const changed = before.filter((one) => !unchanged(one));
  // The same endpoint from another line (one list merged over another): nothing changes for its senders.
  const elsewhere = changed.filter(
    (one) => take((other) => one.input === other.input && endpoint(one) === endpoint(other)) === undefined,
  );
  const moved: Comparison['moved'] = [];
  const lost = elsewhere.filter((from) => {
    const to = take((other) => declaration(from) === declaration(other));
    if (to !== undefined) moved.push({ from, to });
    return to === undefined;
  });
  // An endpoint is lost only if no other listener declares it.
  const [gone, added] = [lost.filter((one) => !has(after, one)), unpaired.filter((one) => !has(before, one))];
  return { lost: gone, gained: added, moved, unchanged: before.length - lost.length - moved.length };
}

/** It may not get its socket because of another listener of the same Filebeat. */
function loses(listener: Listener, all: readonly Listener[]): boolean {
  return racesOf(listener, all).some((race) => race.winner !== 'this');
}

function wasLosing(listener: Listener, before: readonly Listener[]): boolean {
  const same = before.find((one) => declaration(one) === declaration(listener));
  return same === undefined || loses(same, before);
}

function faultKey({ code, subject, at }: Fault): string {
  return [code, subject ?? '', positionText(at)].join('|');
}

/** Exit code. 1: something changes for a Filebeat; 3: a comparison is not certain; else 0. */
export function compareCode(all: readonly Comparison[]): 0 | 1 | 3 {
  if (all.some(({ answer }) => answer === 'changes')) return 1;
  return all.some(({ answer }) => answer === 'unknown') ? 3 : 0;
}
