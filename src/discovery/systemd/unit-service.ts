/**
 * One service unit's merged settings → its commands, environment, directory and user
 * (systemd.service(5), systemd.exec(5)), as the system manager would start it.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import type { Gap } from '../../model/model.js';
import { type Assignment, lastSetting, listSetting, parseUnitFile, settings } from './unit-file.js';
import { expandSpecifiers, type SpecifierContext } from './unit-specifiers.js';
import {
  assignmentOf,
  type Environment,
  expandVariables,
  firstWord,
  parseEnvironmentFile,
  splitWords,
} from './unit-words.js';

export interface ServiceCommand {
  /** The file that is executed. */
  program: string;
  argv: string[];
}

export interface Service {
  commands: ServiceCommand[];
  cwd: string;
  env: Environment;
  /** False when some of the environment could not be known. */
  envComplete: boolean;
  user?: string;
  /** `RootDirectory=`: paths of the command are below it. */
  rootDirectory?: string;
  /** `PrivateNetwork=`, `NetworkNamespacePath=`: it has not the host's network. */
  ownNetwork: boolean;
  /** Keys of `Condition…=` and `Assert…=`: noted, not judged. */
  conditions: string[];
  gaps: Gap[];
}

export interface SourcedAssignment extends Assignment {
  file: string;
}

const fileLimit = limits.unitBytes;

/** Text of a file, or why not. */
export function readText(files: FileView, path: string): { text: string } | { gap: Gap } {
  const content = files.read(path, fileLimit);
  return content.ok ? { text: new TextDecoder().decode(content.value.bytes) } : { gap: content.gap };
}

/** Assignments of a fragment and its drop-ins in order; files that can't be read and lines that systemd skips are gaps. */
export function readAssignments(
  files: FileView,
  paths: readonly string[],
): { assignments: SourcedAssignment[]; gaps: Gap[] } {
  const assignments: SourcedAssignment[] = [];
  const gaps: Gap[] = [];
  for (const file of paths) {
    const stat = files.stat(file);
    // A mask (a link to /dev/null) empties a drop-in.
    if (stat.ok && stat.value.kind === 'other') continue;
    const content = readText(files, file);
    if ('gap' in content) {
      if (content.gap.reason !== 'missing') gaps.push(content.gap);
      continue;
    }
    const parsed = parseUnitFile(content.text);
    assignments.push(...parsed.assignments.map((assignment) => ({ ...assignment, file })));
    gaps.push(
      ...parsed.bad.map(({ line, why }) => ({ reason: 'malformed' as const, subject: `${file}:${line}`, detail: why })),
    );
  }
  return { assignments, gaps };
}

/** Pure but for the environment files and the user database, which are read through `files`. */
export function readService(
  files: FileView,
  assignments: readonly SourcedAssignment[],
  context: SpecifierContext,
  managerEnv: Environment,
): Service {
  const gaps: Gap[] = [];
  const at = (assignment: Assignment) => `${(assignment as SourcedAssignment).file}:${assignment.line}`;
  const specifiers = (text: string, assignment: Assignment) => {
    const expanded = expandSpecifiers(text, context);
    if (expanded.unknown.length > 0) {
      gaps.push({
        reason: 'missing',
        subject: at(assignment),
        detail: `${expanded.unknown.join(' ')} cannot be told from files`,
      });
    }
    return expanded.text;
  };
  const scalar = (key: string) => {
    const last = lastSetting(assignments, 'Service', key);
    return last && { text: specifiers(last.value, last), assignment: last };
  };

  const user = scalar('User')?.text;
  const login = user === undefined ? undefined : lookUpUser(files, user);
  const rootDirectory = scalar('RootDirectory')?.text;
  const environment = readEnvironment(files, assignments, specifiers, at);
  gaps.push(...environment.gaps);
  const env: Environment = { ...managerEnv };
  if (login) Object.assign(env, { HOME: login.home, LOGNAME: login.name, USER: login.name, SHELL: login.shell });
  Object.assign(env, directories(assignments), environment.env);
  for (const unset of listSetting(assignments, 'Service', 'UnsetEnvironment')) {
    for (const word of splitWords(unset.value).words) delete env[word.split('=')[0]!];
  }

  const directory = scalar('WorkingDirectory')?.text.replace(/^-/, '');
  const home = login?.home ?? '/root';
  const commands = listSetting(assignments, 'Service', 'ExecStart').flatMap((assignment) => {
    const parsed = parseCommands(assignment.value, (text) => specifiers(text, assignment), env);
    if (parsed.broken) gaps.push({ reason: 'malformed', subject: at(assignment), detail: 'unbalanced quote' });
    return parsed.commands;
  });
  const network = scalar('PrivateNetwork')?.text.toLowerCase();
  return {
    commands,
    cwd: directory === undefined ? '/' : directory === '~' ? home : directory,
    env,
    envComplete: environment.complete,
    ...(user === undefined ? {} : { user }),
    ...(rootDirectory === undefined || rootDirectory === '/' ? {} : { rootDirectory }),
    ownNetwork:
      ['yes', 'true', 'on', '1', 'y', 't'].includes(network ?? '') || scalar('NetworkNamespacePath') !== undefined,
    conditions: assignments
      .filter((a) => a.section === 'Unit' && /^(?:Condition|Assert)/.test(a.key))
      .map((a) => a.key),
    gaps,
  };
}

/**
 * `ExecStart=` → commands. Prefixes `-@:+!|` may stand before the program, `@` makes the next word argv[0], `:` keeps dollar
 * signs; a lone `;` starts another command, `\;` is a semicolon.
 */
function parseCommands(
  value: string,
  specifiers: (text: string) => string,
  env: Environment,
): { commands: ServiceCommand[]; broken: boolean } {
  const commands: ServiceCommand[] = [];
  let rest = value;
  while (rest !== '') {
    const first = firstWord(rest);
    if (first === undefined) break;
    if ('error' in first) return { commands, broken: true };
    rest = first.rest;
    if (first.word === ';') continue;
    const prefix = /^[-@:+!|]*/.exec(first.word)![0];
    const program = specifiers(first.word.slice(prefix.length));
    const argv: string[] = prefix.includes('@') ? [] : [program];
    while (rest !== '') {
      const separator = /^(\\?);(?:[ \t\n\r]+|$)/.exec(rest);
      if (separator) {
        rest = rest.slice(separator[0].length);
        if (separator[1] === '') break;
        argv.push(';');
        continue;
      }
      const next = firstWord(rest);
      if (next === undefined) break;
      if ('error' in next) return { commands, broken: true };
      argv.push(specifiers(next.word));
      rest = next.rest;
    }
    if (program !== '' && argv.length > 0) {
      commands.push({ program, argv: prefix.includes(':') ? argv : expandVariables(argv, env) });
    }
  }
  return { commands, broken: false };
}

function readEnvironment(
  files: FileView,
  assignments: readonly SourcedAssignment[],
  specifiers: (text: string, assignment: Assignment) => string,
  at: (assignment: Assignment) => string,
): { env: Environment; complete: boolean; gaps: Gap[] } {
  const env: Environment = {};
  const gaps: Gap[] = [];
  let complete = settings(assignments, 'Service', 'PassEnvironment').every((a) => a.value === '');
  for (const assignment of listSetting(assignments, 'Service', 'Environment')) {
    const { words, broken } = splitWords(assignment.value);
    if (broken) gaps.push({ reason: 'malformed', subject: at(assignment), detail: 'unbalanced quote' });
    for (const word of words) {
      const pair = assignmentOf(specifiers(word, assignment));
      if (pair) env[pair[0]] = pair[1];
      else gaps.push({ reason: 'malformed', subject: at(assignment), detail: 'a word that is no NAME=value' });
    }
  }
  for (const assignment of listSetting(assignments, 'Service', 'EnvironmentFile')) {
    const optional = assignment.value.startsWith('-');
    const pattern = specifiers(optional ? assignment.value.slice(1) : assignment.value, assignment);
    for (const path of matching(files, pattern)) {
      const content = readText(files, path);
      if ('gap' in content) {
        const expected = optional && content.gap.reason === 'missing';
        if (!expected) gaps.push(content.gap);
        if (!expected) complete = false;
        continue;
      }
      const parsed = parseEnvironmentFile(content.text);
      Object.assign(env, parsed.env);
      for (const line of parsed.badLines) {
        gaps.push({ reason: 'malformed', subject: `${path}:${line}`, detail: 'a line that is no NAME=value' });
      }
    }
  }
  return { env, complete, gaps };
}

/** `EnvironmentFile=` may be a pattern; only its last part is looked at as one. */
function matching(files: FileView, pattern: string): string[] {
  const slash = pattern.lastIndexOf('/');
  const last = pattern.slice(slash + 1);
  if (!/[*?[]/.test(last)) return [pattern];
  const source = last
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  let match: RegExp;
  try {
    match = new RegExp(`^${source}$`, 's');
  } catch {
    return [pattern]; // An unclosed bracket is a plain character to glob(7).
  }
  const names = files.list(pattern.slice(0, slash) || '/', 10_000);
  return names.ok
    ? names.value.filter((name) => match.test(name)).map((name) => `${pattern.slice(0, slash)}/${name}`)
    : [];
}

/** `StateDirectory=filebeat/core` → `STATE_DIRECTORY=/var/lib/filebeat/core`, and its four siblings. */
function directories(assignments: readonly Assignment[]): Environment {
  const env: Environment = {};
  const kinds = { State: '/var/lib', Cache: '/var/cache', Logs: '/var/log', Configuration: '/etc', Runtime: '/run' };
  for (const [kind, base] of Object.entries(kinds)) {
    const words = listSetting(assignments, 'Service', `${kind}Directory`).flatMap((a) => splitWords(a.value).words);
    const paths = words.filter((word) => !word.includes('%')).map((word) => `${base}/${word.split(':')[0]!}`);
    if (paths.length > 0) env[`${kind.toUpperCase()}_DIRECTORY`] = paths.join(':');
  }
  return env;
}

/** One line of /etc/passwd: `filebeat:x:998:998::/var/lib/filebeat:/usr/sbin/nologin`. */
function lookUpUser(files: FileView, user: string): { name: string; home: string; shell: string } | undefined {
  const passwd = readText(files, '/etc/passwd');
  if ('gap' in passwd) return undefined;
  for (const line of passwd.text.split('\n')) {
    const fields = line.split(':');
    if (fields.length >= 7 && (fields[0] === user || fields[2] === user)) {
      return { name: fields[0]!, home: fields[5]! || '/', shell: fields[6]! || '/bin/sh' };
    }
  }
  return undefined;
}
