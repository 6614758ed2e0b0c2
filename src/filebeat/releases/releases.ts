/**
 * The known releases, and which rules of `release-rules.ts` apply to a release. All code that depends on the release
 * calls `applies`; nothing else compares versions.
 */
import { inRanges, type ReleaseVersion } from './release-range.js';
import { releaseRules } from './release-rules.js';

export {
  answersAlike,
  compareReleases,
  inRanges,
  parseRelease,
  type ReleaseAnswers,
  type ReleaseRange,
  type ReleaseVersion,
  withAnswers,
} from './release-range.js';
export { type ReleaseRule, releaseRules } from './release-rules.js';

/** Stands for an unknown release: newer than every rule. */
export const newestRelease: ReleaseVersion = [999, 0, 0];

/** The name of a rule. */
export type RuleId = keyof typeof releaseRules;

/** Newest known patch of each line, by major and minor number. */
const newestPatches: Record<number, readonly number[]> = {
  6: [1, 4, 4, 2, 3, 4, 2, 2, 23],
  7: [1, 1, 1, 2, 2, 2, 2, 1, 1, 3, 2, 2, 1, 4, 2, 2, 3, 29],
  8: [1, 3, 3, 3, 3, 3, 2, 1, 2, 2, 4, 4, 2, 4, 3, 5, 6, 10, 8, 25],
  9: [8, 10, 5, 7, 9, 2, 0],
};

/** `9.2.1` unchanged; `9.2` and `9` → the newest known release of that line, or `.0` of an unknown line. */
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

/** Whether a rule's `after` describes a release. */
export function applies(rule: RuleId, release: ReleaseVersion): boolean {
  return inRanges(releaseRules[rule].ranges, release);
}
