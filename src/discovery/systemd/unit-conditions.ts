/** `Condition…=` and `Assert…=`, evaluated from files (systemd.unit(5) "CONDITIONS AND ASSERTS"). */
import { posix } from 'node:path';
import type { FileStat, FileView } from '../../filebeat/files/file-view.js';
import { goGlob } from '../../filebeat/files/glob.js';
import { isKnown } from '../launch/launch-context.js';
import type { SourcedAssignment, UnitSettings } from './unit-files/unit-settings.js';
import type { SpecifierFacts } from './unit-files/unit-specifiers.js';

export interface Verdict {
  /** Undefined: unknown. */
  holds: boolean | undefined;
  /** The deciding setting, `ConditionPathExists=`, without its value. */
  key?: string;
}

/** All settings without `|`, and at least one of those with it, must hold. */
export function judgeConditions(
  kind: 'Condition' | 'Assert',
  settings: UnitSettings,
  files: FileView,
  facts: SpecifierFacts,
): Verdict {
  const all = settings.assignments.filter(({ section, key }) => section === 'Unit' && key.startsWith(kind));
  // An empty setting resets all before it, of whatever kind.
  const own = all.slice(all.findLastIndex(({ value }) => value === '') + 1);
  let any: boolean | undefined = false;
  let anyKey: string | undefined;
  let unsure: string | undefined;
  for (const one of own) {
    const isTrigger = /^!?\s*\|/.test(one.value);
    const holds = judge(one, kind, settings, files, facts);
    const key = `${one.key}=`;
    if (isTrigger) {
      anyKey = key;
      if (holds === true) any = true;
      else if (holds === undefined && any === false) any = undefined;
    } else if (holds === false) return { holds: false, key };
    else if (holds === undefined) unsure ??= key;
  }
  if (anyKey !== undefined && any === false) return { holds: false, key: anyKey };
  const key = unsure ?? (anyKey !== undefined && any === undefined ? anyKey : undefined);
  return key === undefined ? { holds: true } : { holds: undefined, key };
}

function judge(
  one: SourcedAssignment,
  kind: 'Condition' | 'Assert',
  settings: UnitSettings,
  files: FileView,
  facts: SpecifierFacts,
): boolean | undefined {
  const [, marks, value] = /^([|!\s]*)([\s\S]*)$/.exec(one.value)!;
  const text = settings.expand(value!, one);
  if (text === undefined || !isKnown(text)) return undefined;
  const test = tests[one.key.slice(kind.length)];
  const truth = test?.(text, files, facts);
  return truth === undefined ? undefined : truth !== marks!.includes('!');
}

type Test = (value: string, files: FileView, facts: SpecifierFacts) => boolean | undefined;

/** Directories that are filled at boot. */
const volatile = /^\/(?:run|tmp|dev|proc|sys|var\/run|var\/lock)(?:\/|$)/;

/** A test of the file at a path; false where it is missing. */
const ofFile =
  (ask: (stat: FileStat, path: string, files: FileView) => boolean | undefined): Test =>
  (path, files) => {
    if (!path.startsWith('/') || volatile.test(path)) return undefined;
    const stat = files.stat(path);
    if (stat.ok) return ask(stat.value, path, files);
    return stat.gap.reason === 'missing' ? false : undefined;
  };

const tests: Record<string, Test> = {
  PathExists: ofFile(() => true),
  PathIsDirectory: ofFile(({ kind }) => kind === 'directory'),
  FileNotEmpty: ofFile(({ kind, size }) => kind === 'file' && size > 0),
  FileIsExecutable: ofFile(({ kind, mode }) => kind === 'file' && (mode & 0o111) !== 0),
  DirectoryNotEmpty: ofFile(({ kind }, path, files) => {
    if (kind !== 'directory') return false;
    const names = files.list(path, 10_000);
    return names.ok ? names.value.length > 0 : names.gap.reason === 'limit' ? true : undefined;
  }),
  PathIsSymbolicLink: (path, files) => {
    if (!path.startsWith('/') || volatile.test(path)) return undefined;
    const parent = files.resolve(posix.dirname(path));
    const real = files.resolve(path);
    if (!parent.ok || !real.ok) return undefined;
    return real.value !== posix.join(parent.value, posix.basename(path));
  },
  PathExistsGlob: (pattern, files) => {
    if (volatile.test(pattern)) return undefined;
    const found = goGlob(pattern, files, 10_000);
    return found.ok ? found.paths.length > 0 : undefined;
  },
  Host: (value, _, { hostname, machineId }) => {
    if (hostname === undefined) return undefined;
    if (/^[0-9a-f-]{32,36}$/.test(value))
      return machineId === undefined ? undefined : machineId === value.replaceAll('-', '');
    const source = value
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(
      `^${source.includes('[') && !source.includes(']') ? source.replaceAll('[', '\\[') : source}$`,
      'i',
    ).test(hostname);
  },
  User: (value) => /^(?:root|0|@system)$/.test(value),
  Group: (value, files) => {
    if (/^(?:root|0)$/.test(value)) return true;
    const group = files.read('/etc/group', 1024 * 1024);
    if (!group.ok) return undefined;
    const rows = new TextDecoder()
      .decode(group.value.bytes)
      .split('\n')
      .map((line) => line.split(':'));
    return rows.some(
      ([name, , gid, members]) => (name === value || gid === value) && members?.split(',').includes('root'),
    );
  },
  OSRelease: (value, _, { osRelease }) => {
    const [, key, operator, wanted] = /^(\w+)\s*(=|!=)\s*"?([^"]*)"?$/.exec(value) ?? [];
    const own = key === undefined ? undefined : osRelease?.[key];
    return own === undefined || osRelease === undefined ? undefined : (own === wanted) === (operator === '=');
  },
};
