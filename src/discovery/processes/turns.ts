/**
 * Who is looked at in full in a scan. Anybody may start many processes that look like Filebeats; so of those of ordinary users
 * only some are looked at in full in one scan, in turn. Of the others a scan verifies what must not be wrong: that the very
 * process still runs the same program, and its sockets.
 */

/** Of all ordinary users together, in one scan. */
export const MOST_IN_FULL = 32;

/** Returns those whose turn it is, of all that there are now. */
export function createTurns(most: number = MOST_IN_FULL): (all: readonly number[]) => ReadonlySet<number> {
  let last = 0;
  return (all) => {
    if (all.length <= most) return new Set(all);
    const sorted = [...all].sort((a, b) => a - b);
    const from = sorted.findIndex((one) => one > last);
    const turn = Array.from({ length: most }, (_, at) => sorted[(Math.max(0, from) + at) % sorted.length]!);
    last = turn.at(-1)!;
    return new Set(turn);
  };
}
