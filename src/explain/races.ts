/** Listeners of one Filebeat that cannot be bound beside each other, and who of them is first. Pure. */
import { collides } from '../filebeat/net/address.js';
import type { Listener, Position } from '../model/model.js';

export interface Race {
  /** `input` and place of the other one. */
  input: string;
  declaredIn: Position;
  /** What only one of them can have. */
  over: 'endpoint' | 'id';
  /** Inputs start side by side, so it is mostly chance. */
  winner: 'this' | 'other' | 'chance';
}

/** All that stand in the way of `listener` among the listeners of its own Filebeat. */
export function racesOf(listener: Listener, all: readonly Listener[]): Race[] {
  const at = all.indexOf(listener);
  return all.flatMap((other, index) => {
    if (index === at || !excludes(listener, other)) return [];
    const [first, second] = at < index ? [listener, other] : [other, listener];
    const winner = firstOf(first, second);
    return [
      {
        input: other.input,
        declaredIn: other.declaredIn,
        over: sameId(listener, other) ? 'id' : 'endpoint',
        winner: winner === undefined ? 'chance' : winner === listener ? 'this' : 'other',
      },
    ];
  });
}

function excludes(a: Listener, b: Listener): boolean {
  if (sameId(a, b)) return true;
  if (a.protocol !== b.protocol || (a.shares && b.shares && a.address === b.address)) return false;
  return collides(a.target, b.target);
}

/** The one that is bound first whatever happens; undefined where that is chance. `a` stands before `b`. */
function firstOf(a: Listener, b: Listener): Listener | undefined {
  if (sameId(a, b)) return undefined;
  // The stats endpoint is opened before any input is made.
  if ((a.input === 'http') !== (b.input === 'http')) return a.input === 'http' ? a : b;
  // Reloaded files are read for the first time after one period.
  if ((a.reload === undefined) !== (b.reload === undefined)) return a.reload === undefined ? a : b;
  // A syslog input binds while it is started, the others a moment later, side by side.
  return a.input === 'syslog' && a.reload === undefined ? a : undefined;
}

/** Of equal ids some releases start only one input. */
function sameId(a: Listener, b: Listener): boolean {
  return a.rival !== undefined && a.rival === b.rival;
}
