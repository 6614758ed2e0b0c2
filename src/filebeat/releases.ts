/**
 * Versions, and which rules of `release-rules.ts` hold for one. Whatever depends on the release asks `applies`; there
 * is no other comparison of versions.
 */
import { type ReleaseRange, type ReleaseVersion, releaseRules } from './release-rules.js';

export { type ReleaseRange, type ReleaseRule, type ReleaseVersion, releaseRules } from './release-rules.js';

/** What an unknown release is taken for: newer than every rule. */
export const newestRelease: ReleaseVersion = [999, 0, 0];

export type RuleId = keyof typeof releaseRules;

/** `8.19.21`, `8.19`, `v9.6.0-SNAPSHOT` → version; what is missing counts as 0. Undefined when it is none. */
export function parseRelease(text: string): ReleaseVersion | undefined {
  const match = /^v?(\d{1,5})(?:\.(\d{1,5}))?(?:\.(\d{1,5}))?(?:[-+].*)?$/.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)] : undefined;
}

/** Newest release of each line that is known here, by major and then by minor number. A newer one has the newest rules. */
const newestPatches: Record<number, readonly number[]> = {
  6: [1, 4, 4, 2, 3, 4, 2, 2, 23],
  7: [1, 1, 1, 2, 2, 2, 2, 1, 1, 3, 2, 2, 1, 4, 2, 2, 3, 29],
  8: [1, 3, 3, 3, 3, 3, 2, 1, 2, 2, 4, 4, 2, 4, 3, 5, 6, 10, 8, 25],
  9: [8, 10, 5, 7, 9, 2, 0],
};

/** `9.2.1` as it is; `9.2` and `9` → the newest known release of that line. A line that is not known here: its first. */
export function newestOfLine(text: string): string {
  const [major = '', minor, patch] = text.split('.');
  if (minor !== undefined && patch !== undefined) return text;
  const patches = newestPatches[Number(major)];
  const line = minor === undefined ? Math.max((patches?.length ?? 0) - 1, 0) : Number(minor);
  return `${Number(major)}.${line}.${patches?.[line] ?? 0}`;
}

/** The newest known release of every line, newest first. */
export const knownReleases: readonly string[] = Object.entries(newestPatches)
  .sort(([a], [b]) => Number(b) - Number(a))
  .flatMap(([major, patches]) => patches.map((patch, minor) => `${major}.${minor}.${patch}`).reverse());

/** Negative when `a` is older than `b`, 0 when they are the same. */
export function compareReleases(a: ReleaseVersion, b: ReleaseVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Whether a rule's `after` holds for a release. */
export function applies(rule: RuleId, release: ReleaseVersion): boolean {
  return inRanges(releaseRules[rule].ranges, release);
}

export function inRanges(ranges: readonly ReleaseRange[], release: ReleaseVersion): boolean {
  return ranges.some(
    ({ from: first, below }) =>
      compareReleases(release, first) >= 0 && (below === undefined || compareReleases(release, below) < 0),
  );
}
