/** Differences between Filebeat releases as a Markdown table, oldest first, generated from the rules that predictions use. Pure. */
import {
  compareReleases,
  type ReleaseRange,
  type ReleaseRule,
  type ReleaseVersion,
  releaseRules,
} from '../../filebeat/releases/releases.js';

const words = ([major, minor, patch]: ReleaseVersion) =>
  patch === 0 ? `${major}.${minor}` : `${major}.${minor}.${patch}`;
const span = ({ from, below }: ReleaseRange) =>
  below === undefined ? `since ${words(from)}` : `${words(from)} up to before ${words(below)}`;
/** How a rule is known: the neighbouring releases between which a change was observed, or the source. */
const evidence = (seen: ReleaseRule['seen']) => {
  if (typeof seen === 'string') return seen;
  if ('source' in seen) return `source of ${seen.source.join(' and ')}`;
  return seen.map(([older, newer]) => `${older} and ${newer}`).join('; ');
};
const cell = (text: string) => text.replaceAll('|', '\\|');

export function releasesMarkdown(): string {
  const rules: ReleaseRule[] = Object.values(releaseRules);
  const first = (rule: ReleaseRule) => rule.ranges[0]!.from;
  const sorted = [...rules].sort((a, b) => compareReleases(first(a), first(b)));
  return [
    '| releases | what | otherwise | there | seen between |',
    '|---|---|---|---|---|',
    ...sorted.map(
      ({ subject, before, after, ranges, seen }) =>
        `| ${ranges.map(span).join('; ')} | ${cell(subject)} | ${cell(before)} | ${cell(after)} | ${evidence(seen)} |`,
    ),
    '',
  ].join('\n');
}
