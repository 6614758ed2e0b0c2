/** What launchers change for the program that they start: user, environment, directory, root. From their man pages. */
import { type Environment, type Launch, unknown, type World } from './launch-world.js';
import type { Change, GivenOptions } from './launcher-options.js';
import { type Account, lookUpUser, rootUser, userOf } from './users.js';

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const userPath = '/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games';

export function assignmentsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.flatMap((word) => {
      const equals = word.indexOf('=');
      return equals > 0 ? [[word.slice(0, equals), word.slice(equals + 1)]] : [];
    }),
  );
}

function textOf(world: World, path: string): string | undefined {
  const content = world.files.read(path, 1024 * 1024);
  return content.ok ? new TextDecoder().decode(content.value.bytes) : undefined;
}

function accountOf(user: string, world: World): Account | undefined {
  const found = lookUpUser(world.files, user.replace(/^#/, ''));
  return typeof found === 'string' ? undefined : found;
}

export function becomeUser({ before }: { before: string[] }, launch: Launch, world: World): Change {
  return { launch: { user: userOf(world.files, before[0] ?? '', launch.user) } };
}

export function becomeGosu({ before }: { before: string[] }, launch: Launch, world: World): Change {
  const account = accountOf((before[0] ?? '').split(':')[0]!, world);
  const user = userOf(world.files, before[0] ?? '', launch.user);
  return { launch: { user, env: { ...launch.env, HOME: account?.home ?? '/' } } };
}

/** `env [-i] [-u NAME] [-C DIR] [-S LINE] [NAME=VALUE…] PROGRAM`. */
export function becomeEnv(given: GivenOptions, launch: Launch): Change {
  const { option, all, has } = given;
  let rest = [...given.rest];
  const lines = all('S', 'split-string');
  if (lines.length > 0) {
    // Its words are options again.
    const words = envWords(lines[0]!);
    if (words === undefined) return { why: 'what `env -S` makes of its line cannot be told', argv: rest };
    return { argv: ['env', ...words, ...rest] };
  }
  let env: Environment = { ...launch.env };
  const isEmpty = has('i', 'ignore-environment') || rest[0] === '-';
  if (rest[0] === '-') rest = rest.slice(1);
  if (isEmpty) env = {};
  for (const name of all('u', 'unset')) delete env[name];
  while (rest[0]?.includes('=')) {
    const equals = rest[0].indexOf('=');
    env[rest[0].slice(0, equals)] = rest[0].slice(equals + 1);
    rest = rest.slice(1);
  }
  const cwd = option('C', 'chdir');
  return {
    argv: rest,
    launch: {
      env,
      ...(isEmpty ? { envOpen: false } : {}),
      ...(cwd === undefined ? {} : { cwd: cwd.startsWith('/') ? cwd : `${launch.cwd}/${cwd}` }),
    },
  };
}

/** As `env -S` cuts a line; undefined where it expands variables. */
function envWords(line: string): string[] | undefined {
  if (/[\\$]/.test(line)) return undefined;
  return [...line.matchAll(/(?:"([^"]*)"|'([^']*)'|[^\s"']+)+/g)].map(([word]) => word.replace(/["']/g, ''));
}

/** One file for each variable, its first line is the value; an empty file unsets (envdir(8)). */
export function becomeEnvdir(
  { before, has }: GivenOptions & { before: string[] },
  launch: Launch,
  world: World,
): Change {
  const folder = before[0] ?? '';
  const names = world.files.list(folder, 1000);
  if (!names.ok) return names.gap.reason === 'missing' && has('I') ? {} : { launch: { envOpen: true } };
  const env = { ...launch.env };
  for (const name of names.value) {
    if (name.startsWith('.') || name.includes('=')) continue;
    const text = textOf(world, `${folder}/${name}`);
    if (text === undefined) env[name] = unknown;
    else if (text === '') delete env[name];
    else env[name] = (has('f') ? text : text.split('\n')[0]!).replace(/[ \t]+$/, '');
  }
  return { launch: { env } };
}

/** Variables of a shell that a login makes anew. */
function loginOf(account: Account | undefined, launch: Launch): Partial<Launch> {
  const isRoot = account?.uid === 0;
  const env: Environment = {
    ...(launch.env['TERM'] === undefined ? {} : { TERM: launch.env['TERM'] }),
    HOME: account?.home ?? unknown,
    SHELL: account?.shell ?? unknown,
    USER: account?.name ?? unknown,
    LOGNAME: account?.name ?? unknown,
    PATH: isRoot ? systemPath : userPath,
  };
  return { env, envOpen: false, cwd: account?.home ?? unknown };
}

/** `su [OPTIONS] [-] [USER [ARGUMENTS]]` with `-c LINE`: options may stand anywhere. */
export function becomeSu(given: GivenOptions, launch: Launch, world: World): Change {
  const words = given.rest.filter((word, at) => !(word === '-' && at === given.rest.indexOf('-')));
  const isLogin = given.has('l', 'login') || words.length < given.rest.length;
  const [name = 'root', ...args] = words;
  const text = given.option('c', 'command', 'C', 'session-command');
  const account = accountOf(name, world);
  const user = userOf(world.files, name, launch.user);
  const keeps = given.has('m', 'p', 'preserve-environment') && !isLogin;
  const shell = given.option('s', 'shell') ?? (keeps ? (launch.env['SHELL'] ?? '/bin/sh') : account?.shell);
  const own: Environment = keeps
    ? {}
    : {
        HOME: account?.home ?? unknown,
        SHELL: shell ?? unknown,
        ...(account?.uid === 0 ? {} : { USER: name, LOGNAME: name }),
      };
  const changed: Partial<Launch> = isLogin ? loginOf(account, launch) : { env: { ...launch.env, ...own } };
  const next = { ...changed, user };
  if (shell !== undefined && /\/(?:nologin|false)$/.test(shell)) return { locked: name };
  if (shell === undefined)
    return {
      launch: next,
      why: 'its user is not in /etc/passwd',
      ...(text === undefined ? { nothing: true } : { line: { text } }),
    };
  if (text !== undefined) return { launch: next, line: { text, shell, args, login: isLogin } };
  // Without a line the words are the shell's own.
  return args.length === 0 ? { nothing: true } : { launch: next, argv: [shell, ...args] };
}

/** As `su`, or `runuser -u USER [--] PROGRAM`, which changes the user and nothing else. */
export function becomeRunuser(given: GivenOptions, launch: Launch, world: World): Change {
  const user = given.option('u', 'user');
  if (user !== undefined) return { argv: given.rest, launch: { user: userOf(world.files, user, launch.user) } };
  return becomeSu(permuted(given), launch, world);
}

/** `runuser - USER -c LINE`: what stands behind the first word may be options still. */
function permuted(given: GivenOptions): GivenOptions {
  const rest: string[] = [];
  const more: [string, string][] = [];
  for (let at = 0; at < given.rest.length; at += 1) {
    const word = given.rest[at]!;
    const long = /^--(command|session-command|shell)(?:=([\s\S]*))?$/.exec(word);
    if (long !== null) more.push([long[1]!, long[2] ?? given.rest[++at] ?? '']);
    else if (/^-[a-z]*[cs]$/.test(word)) {
      for (const letter of word.slice(1, -1)) more.push([letter, '']);
      more.push([word.at(-1)!, given.rest[++at] ?? '']);
    } else if (/^-[lmpf]+$/.test(word)) for (const letter of word.slice(1)) more.push([letter, '']);
    else rest.push(word);
  }
  const all = (...names: string[]) => [
    ...given.all(...names),
    ...more.filter(([name]) => names.includes(name)).map(([, value]) => value),
  ];
  return { all, option: (...names) => all(...names).at(-1), has: (...names) => all(...names).length > 0, rest };
}

/** Variables that sudoers(5) lets through: `Defaults env_keep += "A B"`; everything with `!env_reset`. */
function keptBySudo(world: World): { all: boolean; names: string[] } {
  const folder = world.files.list('/etc/sudoers.d', 1000);
  const paths = ['/etc/sudoers', ...(folder.ok ? folder.value : []).map((name) => `/etc/sudoers.d/${name}`)];
  const text = paths.map((path) => textOf(world, path) ?? '').join('\n');
  const lines = text.split('\n').filter((line) => /^\s*Defaults/.test(line));
  return {
    all: lines.some((line) => line.includes('!env_reset')),
    names: lines.flatMap((line) => /env_keep\s*\+?=\s*"?([^"]*)/.exec(line)?.[1]?.split(/\s+/) ?? []),
  };
}

export function becomeSudo(given: GivenOptions, launch: Launch, world: World): Change {
  const { option, all, has } = given;
  const name = option('u', 'user') ?? 'root';
  const account = accountOf(name, world);
  const kept = keptBySudo(world);
  const preserved = all('preserve-env');
  const isWhole = kept.all || has('E') || preserved.includes('');
  const names = [...kept.names, ...preserved.flatMap((list) => list.split(',')), 'TERM'];
  const env: Environment = isWhole
    ? { ...launch.env }
    : Object.fromEntries(
        Object.entries(launch.env).filter(([key]) =>
          names.some((one) => one === key || (one.endsWith('*') && key.startsWith(one.slice(0, -1)))),
        ),
      );
  const home = account?.home ?? unknown;
  Object.assign(env, { PATH: systemPath, HOME: isWhole && !has('H') ? (launch.env['HOME'] ?? home) : home });
  Object.assign(env, { SHELL: account?.shell ?? unknown, USER: account?.name ?? name, LOGNAME: account?.name ?? name });
  let rest = [...given.rest];
  while (/^[A-Za-z_]\w*=/.test(rest[0] ?? '')) Object.assign(env, assignmentsOf([rest.shift()!]));
  if (rest[0] === '--') rest.shift();
  const isLogin = has('i', 'login');
  const cwd = option('D', 'chdir') ?? (isLogin ? home : launch.cwd);
  const next: Partial<Launch> = {
    ...(isLogin ? loginOf(account, launch) : { env, envOpen: isWhole && launch.envOpen }),
    cwd,
    user: userOf(world.files, name.replace(/^#/, ''), rootUser),
    ...(option('R', 'chroot') === undefined ? {} : { root: option('R', 'chroot')! }),
  };
  const background = has('b', 'background');
  if (!isLogin && !has('s', 'shell')) return { argv: rest, launch: next, background };
  if (rest.length === 0) return { nothing: true };
  // The shell gets one line, in which everything but letters is quoted.
  rest = rest.map((word) => word.replace(/[^\w$-]/g, '\\$&'));
  return {
    launch: next,
    background,
    line: { text: rest.join(' '), shell: account?.shell ?? '/bin/sh', login: isLogin },
  };
}

export function becomeDoas({ option, has, rest }: GivenOptions, launch: Launch, world: World): Change {
  if (has('L', 'C')) return { nothing: true };
  const name = option('u') ?? 'root';
  const account = accountOf(name, world);
  const rules = textOf(world, '/etc/doas.conf') ?? '';
  const keeps = /^\s*permit\b.*\bkeepenv\b/m.test(rules);
  const env: Environment = {
    ...(keeps ? launch.env : {}),
    HOME: account?.home ?? unknown,
    LOGNAME: account?.name ?? name,
    USER: account?.name ?? name,
    SHELL: account?.shell ?? unknown,
    PATH: systemPath,
    DOAS_USER: launch.user.name ?? 'root',
  };
  const envOpen = (keeps && launch.envOpen) || /\bsetenv\b/.test(rules);
  return { argv: rest, launch: { env, envOpen, user: userOf(world.files, name, rootUser) } };
}

export function becomeSetpriv({ option, has, rest }: GivenOptions, launch: Launch, world: World): Change {
  const uid = option('reuid') ?? option('euid');
  const gid = option('regid') ?? option('egid');
  const user =
    uid === undefined && gid === undefined
      ? launch.user
      : userOf(world.files, `${uid ?? ''}${gid === undefined ? '' : `:${gid}`}`, launch.user);
  if (!has('reset-env')) return { argv: rest, launch: { user } };
  const account = uid === undefined ? accountOf('root', world) : accountOf(uid, world);
  const { env, envOpen } = loginOf(account, launch);
  return { argv: rest, launch: { user, env: env!, envOpen: envOpen! } };
}

export function becomeChpst(given: GivenOptions, launch: Launch, world: World): Change {
  const { option, all, rest } = given;
  const user = option('u');
  let next: Partial<Launch> = {};
  for (const folder of all('e')) {
    const change = becomeEnvdir({ ...given, before: [folder], has: () => false }, { ...launch, ...next }, world);
    next = { ...next, ...change.launch };
  }
  if (user !== undefined) next.user = userOf(world.files, user, launch.user);
  const root = option('/');
  if (root !== undefined) Object.assign(next, { root, cwd: '/' });
  const argv0 = option('b');
  return { argv: rest, launch: { ...next, ...(argv0 === undefined ? {} : { argv: [argv0, ...rest.slice(1)] }) } };
}

/** Another unit: its own environment, directory and user; a scope inherits all of it. */
export function becomeSystemdRun({ option, all, has, rest }: GivenOptions, launch: Launch, world: World): Change {
  const isTimed = [
    'on-active',
    'on-boot',
    'on-startup',
    'on-unit-active',
    'on-unit-inactive',
    'on-calendar',
    'timer-property',
    'path-property',
    'socket-property',
  ];
  if (has(...isTimed)) return { argv: rest, why: 'a timer starts it' };
  if (has('user')) return { argv: rest, why: 'a user manager starts it' };
  if (has('H', 'M', 'host', 'machine')) return { nothing: true };
  const uid = option('uid');
  const user = uid === undefined ? launch.user : userOf(world.files, uid, launch.user);
  const account = uid === undefined ? undefined : accountOf(uid, world);
  const names: Environment =
    account === undefined
      ? {}
      : { HOME: account.home, USER: account.name, LOGNAME: account.name, SHELL: account.shell };
  if (has('scope')) return { argv: rest, launch: { user, env: { ...launch.env, ...names } } };
  const properties = assignmentsOf(all('p', 'property'));
  const given = all('E', 'setenv').map((word) => (word.includes('=') ? word : `${word}=${launch.env[word] ?? ''}`));
  const cwd =
    option('working-directory') ?? properties['WorkingDirectory'] ?? (has('d', 'same-dir') ? launch.cwd : '/');
  const odd = [
    'RootDirectory',
    'RootImage',
    'BindPaths',
    'BindReadOnlyPaths',
    'EnvironmentFile',
    'PrivateTmp',
    'PrivateNetwork',
  ];
  const network = properties['PrivateNetwork'] === undefined ? {} : { network: 'own' as const };
  return {
    argv: rest,
    background: !has('wait', 'pipe', 'P', 'pty', 't', 'S', 'shell'),
    ...(odd.some((key) => properties[key] !== undefined) ? { why: 'a transient unit has settings of its own' } : {}),
    launch: {
      user,
      cwd,
      env: {
        PATH: systemPath,
        ...names,
        ...assignmentsOf(given),
        ...(properties['Environment'] === undefined ? {} : assignmentsOf([properties['Environment']])),
      },
      envOpen: false,
      ...network,
    },
  };
}
