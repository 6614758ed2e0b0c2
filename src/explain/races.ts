/** Listeners of one Filebeat that exclude each other, and which of them is bound first. Pure. */
import { collides } from '../filebeat/net/address.js';
import type { Listener, Position } from '../model/model.js';

export interface Race {
  /** The other listener: type of its input, and position. */
  input: string;
  declaredIn: Position;
  /** What they compete for. */
  over: 'endpoint' | 'id';
  /** Inputs start concurrently, so it is mostly chance. */
  winner: 'this' | 'other' | 'chance';
}

/** The other listeners of the same Filebeat that exclude `listener`. */
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

/** The one that is always bound first; undefined if that is chance. `a` is declared before `b`. */
function firstOf(a: Listener, b: Listener): Listener | undefined {
  if (sameId(a, b)) return undefined;
  // Filebeat opens the stats endpoint before it creates any input.
  if ((a.input === 'http') !== (b.input === 'http')) return a.input === 'http' ? a : b;
  // Filebeat reads reloaded files for the first time after one reload period.
  if ((a.reload === undefined) !== (b.reload === undefined)) return a.reload === undefined ? a : b;
  // A syslog input binds while it is being started, the others concurrently a moment later.
  return a.input === 'syslog' && a.reload === undefined ? a : undefined;
}

/** Some releases start only one of several inputs with the same id. */
function sameId(a: Listener, b: Listener): boolean {
  return a.rival !== undefined && a.rival === b.rival;
}
