/**
 * Go's filepath.Match and filepath.Glob, with which Filebeat finds included files: `*`, `?`, `[a-z]`, `[^a]`, `\`;
 * no braces, `**` is `*`, dot-files match.
 */
import type { Fault, Gap } from '../../model/model.js';
import type { FileView } from './file-view.js';

interface Chunk {
  star: boolean;
  pattern: string[];
}

/**
 * Undefined for a malformed pattern (unclosed bracket, trailing backslash), if the match reaches the malformed part.
 */
export function goMatch(pattern: string, name: string): boolean | undefined {
  return matches(compile(pattern), [...name]);
}

/** Splits a pattern at its stars. */
function compile(pattern: string): Chunk[] {
  const chunks: Chunk[] = [];
  let chunk: Chunk = { star: false, pattern: [] };
  let inRange = false;
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    const c = characters[index]!;
    if (c === '*' && !inRange) {
      if (chunk.star && chunk.pattern.length === 0) continue;
      if (chunk.pattern.length > 0) chunks.push(chunk);
      chunk = { star: true, pattern: [] };
      continue;
    }
    chunk.pattern.push(c);
    if (c === '\\') {
      index++;
      if (index < characters.length) chunk.pattern.push(characters[index]!);
    } else if (c === '[') inRange = true;
    else if (c === ']') inRange = false;
  }
  if (chunk.star || chunk.pattern.length > 0) chunks.push(chunk);
  return chunks;
}

function matches(chunks: Chunk[], name: string[]): boolean | undefined {
  let at = 0;
  for (const [index, { star, pattern }] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    if (star && pattern.length === 0) return !name.includes('/', at);
    let next: number | false | undefined = false;
    // A star takes the shortest run that lets the rest of its chunk match, and never a slash.
    for (let start = at; start <= name.length; start++) {
      next = matchChunk(pattern, name, start);
      if (next === undefined) return undefined;
      if (next !== false && (!isLast || next === name.length)) break;
      next = false;
      if (!star || name[start] === '/') break;
    }
    if (next === false) return false;
    at = next;
  }
  return at === name.length;
}

/** The position after the match; false if there is none; undefined for a malformed pattern. */
function matchChunk(pattern: string[], name: string[], start: number): number | false | undefined {
  let at = start;
  let failed = false;
  for (let index = 0; index < pattern.length; ) {
    const c = name[at];
    failed ||= c === undefined;
    if (pattern[index] === '[') {
      const range = matchRange(pattern, index + 1, c?.codePointAt(0) ?? -1);
      if (!range) return undefined;
      failed ||= !range.matched;
      index = range.next;
    } else if (pattern[index] === '?') {
      failed ||= c === '/';
      index++;
    } else {
      if (pattern[index] === '\\') index++;
      if (index >= pattern.length) return undefined;
      failed ||= pattern[index] !== c;
      index++;
    }
    at++;
  }
  return failed ? false : at;
}

function matchRange(pattern: string[], start: number, c: number): { matched: boolean; next: number } | undefined {
  let index = start;
  const negated = pattern[index] === '^';
  if (negated) index++;
  let matched = false;
  const bound = (): number | undefined => {
    if (pattern[index] === '-' || pattern[index] === ']') return undefined;
    if (pattern[index] === '\\') index++;
    const code = pattern[index++]?.codePointAt(0);
    return index < pattern.length ? code : undefined;
  };
  for (let count = 0; !(pattern[index] === ']' && count > 0); count++) {
    const low = bound();
    let high = low;
    if (pattern[index] === '-') {
      index++;
      high = bound();
    }
    if (low === undefined || high === undefined) return undefined;
    matched ||= low <= c && c <= high;
  }
  return { matched: matched !== negated, next: index + 1 };
}

const special = /[*?[\\]/;

/** Directories that are listed for one pattern. */
const maximalDirectories = 1000;

export type GlobResult = { ok: true; paths: string[]; gaps: Gap[] } | { ok: false; fault: Fault };

/**
 * Paths that the (absolute) pattern matches, in Go's order. Filebeat silently skips what it may not read; here that is
 * a gap, because this program may run as another user. `limit`: names in one directory.
 */
export function goGlob(pattern: string, files: FileView, limit: number): GlobResult {
  const malformed: GlobResult = { ok: false, fault: { code: 'bad-glob' } };
  if (goMatch(pattern, '') === undefined) return malformed;
  const walk = new Walk(files, limit);
  const paths = walk.expand(pattern);
  return walk.malformed ? malformed : { ok: true, paths, gaps: walk.gaps };
}

class Walk {
  readonly gaps: Gap[] = [];
  malformed = false;
  private directories = 0;

  constructor(
    private readonly files: FileView,
    private readonly limit: number,
  ) {}

  expand(pattern: string): string[] {
    if (!special.test(pattern)) return this.exists(pattern) ? [pattern] : [];
    const { directory, name } = splitPath(pattern);
    if (directory === pattern) return [];
    const parents = special.test(directory) ? this.expand(directory) : [directory];
    const chunks = compile(name);
    const isMatch = (entry: string) => {
      const answer = matches(chunks, [...entry]);
      this.malformed ||= answer === undefined;
      return answer;
    };
    return parents
      .filter((parent) => this.isDirectory(parent))
      .flatMap((parent) =>
        this.list(parent)
          .filter(isMatch)
          .map((entry) => (parent === '.' ? entry : `${parent === '/' ? '' : parent}/${entry}`)),
      );
  }

  private exists(path: string): boolean {
    const stat = this.files.stat(path);
    if (stat.ok) return true;
    this.note(stat.gap);
    // A dangling link is a match, too: Filebeat then fails to open it.
    const { directory, name } = splitPath(path);
    return (
      stat.gap.reason === 'missing' &&
      name !== '' &&
      directory !== path &&
      this.isDirectory(directory) &&
      this.list(directory).includes(name)
    );
  }

  private isDirectory(path: string): boolean {
    const stat = this.files.stat(path);
    if (!stat.ok) this.note(stat.gap);
    return stat.ok && stat.value.kind === 'directory';
  }

  private list(directory: string): string[] {
    if (++this.directories > maximalDirectories) {
      if (this.directories === maximalDirectories + 1) this.gaps.push({ reason: 'limit', subject: directory });
      return [];
    }
    const names = this.files.list(directory, this.limit);
    if (names.ok) return names.value;
    this.note(names.gap);
    return [];
  }

  private note(gap: Gap): void {
    if (gap.reason !== 'missing') this.gaps.push(gap);
  }
}

/** Removes `.`, `..` and `//` lexically, as Go's filepath.Join does. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function splitPath(path: string): { directory: string; name: string } {
  const slash = path.lastIndexOf('/');
  const directory = slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
  return { directory, name: path.slice(slash + 1) };
}
