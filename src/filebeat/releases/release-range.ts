/** Releases of Filebeat as numbers, and ranges of them. Pure. */

/** Major, minor, patch. */
export type ReleaseVersion = readonly [major: number, minor: number, patch: number];

/** From `from` (inclusive) to `below` (exclusive, or open if absent). */
export interface ReleaseRange {
  from: ReleaseVersion;
  below?: ReleaseVersion;
}

/** `8.19.21`, `8.19`, `v9.6.0-SNAPSHOT` → version; missing numbers are 0. Undefined for anything else. */
export function parseRelease(text: string | undefined): ReleaseVersion | undefined {
  const match = /^v?(\d{1,5})(?:\.(\d{1,5}))?(?:\.(\d{1,5}))?(?:[-+].*)?$/.exec(text?.trim() ?? '');
  return match ? [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)] : undefined;
}

/** Negative if `a` is older than `b`, 0 if they are equal. */
export function compareReleases(a: ReleaseVersion, b: ReleaseVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Whether a release is in one of the ranges. */
export function inRanges(ranges: readonly ReleaseRange[], release: ReleaseVersion): boolean {
  const answer = isWithin(ranges, release);
  recorded?.set(ranges, answer);
  return answer;
}

function isWithin(ranges: readonly ReleaseRange[], release: ReleaseVersion): boolean {
  return ranges.some(
    ({ from, below }) =>
      compareReleases(release, from) >= 0 && (below === undefined || compareReleases(release, below) < 0),
  );
}

/** All comparisons that a prediction made with its release, and their results. */
export type ReleaseAnswers = ReadonlyMap<readonly ReleaseRange[], boolean>;

let recorded: Map<readonly ReleaseRange[], boolean> | undefined;

/** Records the comparisons that `act` makes; all of them go through `inRanges`. */
export function withAnswers<T>(act: () => T): { result: T; answers: ReleaseAnswers } {
  const outer = recorded;
  const answers = new Map<readonly ReleaseRange[], boolean>();
  recorded = answers;
  try {
    return { result: act(), answers };
  } finally {
    recorded = outer;
  }
}

/** True if the same comparisons have the same results for this release, so that the prediction is the same. */
export function answersAlike(answers: ReleaseAnswers, release: ReleaseVersion): boolean {
  for (const [ranges, answer] of answers) if (isWithin(ranges, release) !== answer) return false;
  return true;
}
