/** Releases of Filebeat as numbers, and ranges of them. Pure. */

/** Major, minor, patch. */
export type ReleaseVersion = readonly [major: number, minor: number, patch: number];

/** From `from` (inclusive) to `below` (exclusive); without `below` for ever after. */
export interface ReleaseRange {
  from: ReleaseVersion;
  below?: ReleaseVersion;
}

/** `8.19.21`, `8.19`, `v9.6.0-SNAPSHOT` → version; what is missing counts as 0. Undefined when it is none. */
export function parseRelease(text: string): ReleaseVersion | undefined {
  const match = /^v?(\d{1,5})(?:\.(\d{1,5}))?(?:\.(\d{1,5}))?(?:[-+].*)?$/.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)] : undefined;
}

/** Negative when `a` is older than `b`, 0 when they are the same. */
export function compareReleases(a: ReleaseVersion, b: ReleaseVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function inRanges(ranges: readonly ReleaseRange[], release: ReleaseVersion): boolean {
  const answer = isWithin(ranges, release);
  asked?.set(ranges, answer);
  return answer;
}

function isWithin(ranges: readonly ReleaseRange[], release: ReleaseVersion): boolean {
  return ranges.some(
    ({ from, below }) =>
      compareReleases(release, from) >= 0 && (below === undefined || compareReleases(release, below) < 0),
  );
}

/** What was asked about a release, and the answers: all that a prediction can know of it. */
export type ReleaseAnswers = ReadonlyMap<readonly ReleaseRange[], boolean>;

let asked: Map<readonly ReleaseRange[], boolean> | undefined;

/** Every comparison of releases goes through `inRanges`: what `act` asked there is told beside its result. */
export function withAnswers<T>(act: () => T): { result: T; answers: ReleaseAnswers } {
  const before = asked;
  const answers = new Map<readonly ReleaseRange[], boolean>();
  asked = answers;
  try {
    return { result: act(), answers };
  } finally {
    asked = before;
  }
}

/** Asked the same, this release would answer the same: nothing that follows from it can differ. */
export function answersAlike(answers: ReleaseAnswers, release: ReleaseVersion): boolean {
  for (const [ranges, answer] of answers) if (isWithin(ranges, release) !== answer) return false;
  return true;
}
