/**
 * From a command line to the Filebeats that it ends in: programs by PATH, scripts by their first line, launchers by
 * their table, shells by what text can tell. What is none of these and names a Filebeat is unclear; it never is one.
 */
import { isCollector } from '../../filebeat/config/command.js';
import { bearings } from '../shell/shell-bearings.js';
import { runShell } from '../shell/shell-run.js';
import type { Dialect } from '../shell/shell-syntax.js';
import { bystanders, containerEngines, supervisors } from './bystanders.js';
import {
  absolute,
  baseName,
  isKnown,
  isSettled,
  type Launch,
  namesFilebeat,
  type Outcome,
  type World,
} from './launch-world.js';
import { type Change, type Launcher, readOptions } from './launcher-options.js';
import { launchers } from './launcher-table.js';
import { bearsTheName, contentOf, type Found, findProgram, isFilebeatProgram } from './programs.js';
import { filesBelow } from './rooted-files.js';
import { withoutUnknown } from './start-words.js';
import { noSuchUser } from './users.js';

const deepest = 12;
const ended: Outcome = { ends: true };

export function follow(launch: Launch, world: World): Outcome {
  world.steps.left -= 1;
  if (world.steps.left < 0 || launch.depth > deepest || launch.argv.length === 0) return tooDeep(launch, world);
  const found = findProgram(launch.program, launch, world);
  const path = found.kind === 'file' ? found.path : launch.program;
  const args = launch.argv.slice(1);
  const real = found.kind === 'file' ? world.files.resolve(found.path) : undefined;
  const names = [launch.program, path, ...(real?.ok ? [real.value] : [])];
  const isFilebeat = names.some((name) => isFilebeatProgram(name, args, world.processNames));
  if (launch.depth === 0) noteFailure(found, launch, world);

  const content = found.kind === 'file' ? contentOf(found.path, world) : { kind: 'program' as const };
  if (content.kind === 'text' && !launch.byShell && namesFilebeat(content.text, world)) {
    return unclear(
      path,
      'it is a script without #!, which the kernel does not execute (Exec format error)',
      launch,
      world,
    );
  }
  const base = baseName(path);
  // Some launchers of the distribution are scripts themselves.
  const isOfSystem = /^\/(?:usr\/)?s?bin\/[^/]+$/.test(path) && Object.hasOwn(launchers, base);
  if (isOfSystem) return throughLauncher(launchers[base]!, launch, world);
  if (content.kind === 'script' || (content.kind === 'text' && launch.byShell)) {
    const begun = world.starts.length + world.unclear.length;
    const outcome = runScript(content, path, launch, world);
    // A stand-in for the program tells nothing of its own.
    const isStub = isFilebeat && !namesFilebeat(content.text, world) && !content.text.includes('exec');
    if (!isStub || world.starts.length + world.unclear.length > begun) return outcome;
  }
  if (isFilebeat) return filebeat(path, launch, world);
  if (names.some(bearsTheName))
    return unclear(path, 'it bears the name of a Filebeat, and whether it is one cannot be told', launch, world);
  if (base === 'elastic-agent' && args[0] === 'otel') {
    return unclear(
      path,
      'an Elastic Agent as an OpenTelemetry collector may run the inputs of a Filebeat',
      launch,
      world,
    );
  }
  const dialect = dialectOf(launch.program, world);
  if (dialect !== undefined) return shell(dialect, launch, world);
  const launcher: Launcher | undefined = Object.hasOwn(launchers, base) ? launchers[base] : dynamicLinker(base);
  if (launcher !== undefined) return throughLauncher(launcher, launch, world);
  return other(base, path, launch, world);
}

function throughLauncher(launcher: Launcher, launch: Launch, world: World): Outcome {
  const args = launch.argv.slice(1);
  const { before = 0, change } = launcher;
  // Those without rules for options read their own words.
  const isWhole = change !== undefined && launcher.values === undefined && launcher.before === undefined;
  const given = isWhole ? undefined : readOptions(args, launcher);
  const behind = given?.rest ?? [...args];
  const options = given ?? { all: () => [], option: () => undefined, has: () => false, rest: behind };
  const rest = behind.slice(before);
  const changed = change?.({ ...options, rest, before: behind.slice(0, before) }, launch, world) ?? {};
  const background = launcher.background !== undefined && options.has(...launcher.background.split(' '));
  return onward({ ...changed, ...(background ? { background } : {}) }, rest, launch, world);
}

/** What a launcher changed, and the program behind it. */
function onward(change: Change, rest: string[], launch: Launch, world: World): Outcome {
  const argv = change.argv ?? rest;
  if (change.locked !== undefined && [...launch.argv].some((word) => namesFilebeat(word, world))) {
    return unclear(launch.program, `the shell of ${change.locked} runs no commands`, launch, world);
  }
  if (change.nothing || (change.line === undefined && argv.length === 0)) return ended;
  const next: Launch = {
    ...launch,
    argv,
    program: argv[0] ?? '',
    ...change.launch,
    depth: launch.depth + 1,
    byShell: false,
    uncertain: change.why === undefined ? launch.uncertain : [...launch.uncertain, change.why],
  };
  if (next.root !== launch.root && next.root !== '/') {
    const inner = absolute(next.root, launch.cwd);
    next.root = launch.root === '/' ? inner : `${launch.root}${inner}`;
    world = { ...world, files: filesBelow(world.files, inner) };
  }
  const outcome = change.line === undefined ? follow(next, world) : shellLine(change.line, next, world);
  return change.background ? { ends: true, status: 0 } : outcome;
}

function shellLine(
  { text, shell: path = '/bin/sh', args = [], login = false }: NonNullable<Change['line']>,
  launch: Launch,
  world: World,
): Outcome {
  const dialect = dialectOf(path, world);
  if (dialect === undefined || dialect === 'other')
    return namesFilebeat(text, world)
      ? unclear(path, 'the lines of this shell are not understood', launch, world)
      : ended;
  if (!isKnown(text)) return unclear(path, 'which line a shell runs is decided as it runs', launch, world, text);
  const [name = path, ...rest] = args;
  const inFolder = world.files.stat(launch.cwd);
  // A home that is not there leaves the directory as it was: `/` for a service.
  const cwd = login && !inFolder.ok && inFolder.gap.reason === 'missing' ? '/' : launch.cwd;
  return runShell(text, { ...launch, cwd }, world, { dialect, name, args: rest, login });
}

const longOptions: Record<string, string> = { errexit: 'e', allexport: 'a', nounset: 'u', noglob: 'f' };

/** `sh [-e] [-o NAME] -c LINE [NAME ARGUMENTS]`, `sh FILE ARGUMENTS`, `sh -s <<EOF`. */
function shell(dialect: Dialect | 'other', launch: Launch, world: World): Outcome {
  const words = launch.argv.slice(1);
  let options = '';
  let login = launch.argv[0]!.startsWith('-');
  let at = 0;
  for (; /^[-+]./.test(words[at] ?? ''); at += 1) {
    const word = words[at]!;
    if (word === '--') {
      at += 1;
      break;
    }
    if (word.startsWith('--')) {
      if (word === '--login') login = true;
      if (word === '--rcfile' || word === '--init-file') at += 1;
      continue;
    }
    if (word.startsWith('-')) options += word.slice(1);
    if (/[oO]$/.test(word)) {
      const name = words[++at] ?? '';
      options += Object.hasOwn(longOptions, name) ? longOptions[name] : '';
    }
  }
  if (options.includes('l')) login = true;
  const rest = words.slice(at);
  if (dialect === 'other') {
    const isSaid = rest.some((word) => namesFilebeat(word, world));
    return isSaid ? unclear(launch.program, 'the scripts of this shell are not understood', launch, world) : ended;
  }
  if (options.includes('c')) {
    const [text, name = launch.argv[0]!, ...args] = rest;
    if (text === undefined) return ended;
    if (isKnown(text) && !mayConcern(text, launch, world)) return ended;
    if (!isKnown(text))
      return unclear(launch.program, 'which line a shell runs is decided as it runs', launch, world, text);
    return runShell(text, launch, world, { dialect, name, args, options, login });
  }
  const [file, ...args] = rest;
  if (options.includes('s') || file === undefined) {
    if (launch.input === undefined) return ended;
    const inputs = file === undefined ? [] : [file, ...args];
    return runShell(launch.input, launch, world, { dialect, name: launch.argv[0]!, args: inputs, options });
  }
  const path = absolute(file, launch.cwd);
  const content = isKnown(path) ? contentOf(path, world) : { kind: 'program' as const };
  if (content.kind === 'program') {
    return namesFilebeat(file, world) ? unclear(file, 'a script that cannot be read starts it', launch, world) : ended;
  }
  world.read.add(path);
  if (!mayConcern(content.text, launch, world)) return ended;
  return runShell(content.text, launch, world, { dialect, name: file, args, options, login });
}

/** Most scripts have nothing to do with Filebeat and say no word of it: reading them closely is saved. */
function mayConcern(text: string, launch: Launch, world: World): boolean {
  if (/^\s*(?:\.|source)\s/m.test(text) || world.always) return true;
  const said = [text, ...launch.argv, ...Object.values(launch.env)];
  return said.some((one) => namesFilebeat(one, world)) || text.includes('systemctl');
}

function runScript(
  content: { kind: 'script' | 'text'; text: string; interpreter?: string; argument?: string },
  path: string,
  launch: Launch,
  world: World,
): Outcome {
  world.read.add(absolute(path, launch.cwd));
  const args = launch.argv.slice(1);
  if (!mayConcern(content.text, launch, world)) return ended;
  if (content.kind === 'text') {
    return runShell(content.text, launch, world, { dialect: 'posix', name: launch.program, args });
  }
  const interpreter = content.interpreter!;
  const argv = [interpreter, ...(content.argument === undefined ? [] : [content.argument]), path, ...args];
  return follow({ ...launch, argv, program: interpreter, depth: launch.depth + 1, byShell: false }, world);
}

const shells: Record<string, Dialect | 'other'> = {
  sh: 'posix',
  dash: 'posix',
  ash: 'posix',
  bash: 'bash',
  rbash: 'bash',
  ksh: 'bash',
  ksh93: 'bash',
  mksh: 'bash',
  lksh: 'bash',
  zsh: 'other',
  fish: 'other',
  csh: 'other',
  tcsh: 'other',
};

/** `sh` is what its link leads to. */
function dialectOf(program: string, world: World): Dialect | 'other' | undefined {
  const base = baseName(program).replace(/^-/, '');
  if (!Object.hasOwn(shells, base)) return undefined;
  if (base !== 'sh') return shells[base];
  const real = world.files.resolve(program.includes('/') ? program : '/bin/sh');
  return (real.ok ? shells[baseName(real.value)] : undefined) ?? 'posix';
}

/** `ld-linux-x86-64.so.2 --library-path DIR PROGRAM`. */
function dynamicLinker(base: string) {
  return /^ld(?:-linux[\w-]*|-musl[\w-]*|64|)\.so(?:\.\d+)*$/.test(base)
    ? { values: 'library-path preload argv0 inhibit-rpath audit glibc-hwcaps-prepend glibc-hwcaps-mask' }
    : undefined;
}

/** Why the kernel would not execute it: execve(2). */
function noteFailure(found: Found, launch: Launch, world: World): void {
  const { program } = launch;
  if (found.kind === 'missing')
    world.failures.push(
      program.includes('/')
        ? `${program} is not there`
        : `${program} is in no folder in which systemd looks for programs`,
    );
  if (found.kind !== 'file') return;
  if (!found.executable) world.failures.push(`${found.path} is not executable`);
  else if (contentOf(found.path, world).kind === 'text')
    world.failures.push(`${found.path} is a script without #! (Exec format error)`);
}

/** What a launcher on the way would fail over. */
function noteRefusal({ cwd, user }: Launch, world: World): void {
  if (user.why === noSuchUser) world.failures.push(`there is no user ${user.name ?? user.uid}`);
  const stat = isKnown(cwd) && isSettled(cwd, world) ? world.files.stat(cwd) : undefined;
  if (stat !== undefined && !stat.ok && stat.gap.reason === 'missing')
    world.failures.push(`the directory ${cwd} is not there`);
}

function filebeat(path: string, launch: Launch, world: World): Outcome {
  if (!isCollector(launch.argv)) {
    // Whether its configuration is accepted is predicted elsewhere: where it is not, no start is missed by going on.
    const isCheck = /\b(?:test config|version|export|modules)\b/.test(launch.argv.slice(1).join(' '));
    return isCheck ? { ends: true, status: 0 } : ended;
  }
  const { argv, whys } = withoutUnknown(launch.argv);
  if (launch.depth > 0) noteRefusal(launch, world);
  const names = Object.keys(launch.env).filter((name) => !isKnown(launch.env[name]!));
  const cwd = isKnown(launch.cwd) ? launch.cwd : '/';
  const isRelative = !isKnown(launch.cwd) && !argv.slice(1).some((word) => /^--?path\.home/.test(word));
  world.starts.push({
    argv,
    program: absolute(path, launch.cwd),
    cwd,
    user: launch.user,
    root: launch.root,
    network: launch.network,
    env: Object.fromEntries(Object.entries(launch.env).filter(([name]) => !names.includes(name))),
    envHidden: { any: launch.envOpen, names },
    uncertain: [
      ...launch.uncertain,
      ...whys,
      ...(isRelative ? ['the directory in which it starts is decided as it runs'] : []),
    ],
    files: [...world.read],
  });
  return { ends: false };
}

function unclear(subject: string, why: string, _launch: Launch, world: World, said?: string): Outcome {
  if (said === undefined || namesFilebeat(said, world)) world.unclear.push({ subject, why });
  return ended;
}

function tooDeep(launch: Launch, world: World): Outcome {
  const isSaid = launch.argv.some((word) => namesFilebeat(word, world));
  if (isSaid)
    world.unclear.push({
      subject: launch.program,
      why: 'it starts more programs one after the other than are followed',
    });
  return ended;
}

const interpreters =
  /^(?:python[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|php[\d.]*|lua[\d.]*|tclsh[\d.]*|expect|execlineb|java|guile|awk|mawk|gawk|rc|es)$/;

/** A program that is neither launcher nor shell: a word among its arguments is no program. */
function other(base: string, path: string, launch: Launch, world: World): Outcome {
  const args = launch.argv.slice(1);
  if (base === 'systemctl' && args.some((word) => /^(?:start|restart|reload-or-restart|enable)$/.test(word))) {
    for (const word of args) if (!word.startsWith('-')) world.asked.add(word.includes('.') ? word : `${word}.service`);
  }
  if (bystanders.has(base)) return bearings(launch.argv, { cwd: launch.cwd, world }) ?? ended;
  if (Object.hasOwn(supervisors, base)) return supervisor(base, args, world);
  if (containerEngines.has(base)) {
    const runs = args.some((word) => /^(?:run|start|up|exec|create|compose)$/.test(word));
    const isSaid = runs && args.some((word) => namesFilebeat(word, world));
    return isSaid ? unclear(path, 'it starts a container, and what runs in there is not read', launch, world) : ended;
  }
  if (interpreters.test(base)) {
    const file = args.find((word) => !word.startsWith('-'));
    const content = file === undefined || !isKnown(file) ? undefined : contentOf(absolute(file, launch.cwd), world);
    const text = content === undefined || content.kind === 'program' ? '' : content.text;
    const isSaid = [text, ...args].some((one) =>
      /(?:^|[\s/'"`=([,])(?:filebeat|agentbeat|elastic-otel-collector)(?=$|[\s'"`),\]])/m.test(one),
    );
    return isSaid ? unclear(file ?? path, `a program for ${base} names a Filebeat`, launch, world) : ended;
  }
  const isNamed = args.some((word, at) =>
    /\s/.test(word)
      ? word.split(/[\s;&|'"]+/).some((piece) => isFilebeatProgram(piece, ['filebeat'], world.processNames))
      : isFilebeatProgram(word, args.slice(at + 1), world.processNames),
  );
  return isNamed ? unclear(path, 'what it does with the Filebeat that it names is not known', launch, world) : ended;
}

/** Something that starts what its own files say. Folders of `run` scripts, and files of lines. */
function supervisor(base: string, args: readonly string[], world: World): Outcome {
  const named = args.filter((word) => word.startsWith('/'));
  const places = [...named, ...supervisors[base]!];
  const seen = new Set<string>();
  const look = (path: string, depth: number): void => {
    const real = world.files.resolve(path);
    if (!real.ok || seen.has(real.value) || depth > 3) return;
    seen.add(real.value);
    const stat = world.files.stat(path);
    if (!stat.ok) return;
    if (stat.value.kind === 'directory') {
      const names = world.files.list(path, 2000);
      for (const name of names.ok ? names.value : [])
        if (!/^(?:log|supervise|env|data|\.)/.test(name)) look(`${path}/${name}`, depth + 1);
      return;
    }
    const content = contentOf(path, world);
    if (content.kind === 'program') return;
    const lines = content.text.split('\n').filter((line) => !/^\s*[#;]/.test(line));
    const isCron = base.startsWith('cron') || base === 'anacron';
    const telling = isCron ? lines.filter((line) => /^\s*@reboot\b/.test(line)) : lines;
    if (!telling.some((line) => startsOne(line, world))) return;
    world.unclear.push({ subject: path, why: `${base} starts a Filebeat from it` });
  };
  for (const place of places) look(place, 0);
  return ended;
}

function startsOne(line: string, world: World): boolean {
  return line.split(/[\s;&|'"=]+/).some((word) => isFilebeatProgram(word, ['filebeat'], world.processNames));
}
