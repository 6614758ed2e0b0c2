/** Launchers that change the user: `su`, `runuser`, `sudo`, `doas`, `setpriv`, `gosu`. From their man pages. */
import { type Environment, type Launch, type LaunchContext, unknown } from '../launch-context.js';
import { systemPath } from '../programs.js';
import { type Account, lookUpUser, rootUser, userOf } from '../users.js';
import { assignmentsOf, textOf } from './launcher-environment.js';
import type { Change, GivenOptions } from './launcher-options.js';

const userPath = '/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games';

/** The account of a name or `#number`. */
export function accountOf(user: string, world: LaunchContext): Account | undefined {
  const found = lookUpUser(world.files, user.replace(/^#/, ''));
  return typeof found === 'string' ? undefined : found;
}

export function becomeUser({ before }: { before: string[] }, launch: Launch, world: LaunchContext): Change {
  return { launch: { user: userOf(world.files, before[0] ?? '', launch.user) } };
}

export function becomeGosu({ before }: { before: string[] }, launch: Launch, world: LaunchContext): Change {
  const account = accountOf((before[0] ?? '').split(':')[0]!, world);
  const user = userOf(world.files, before[0] ?? '', launch.user);
  return { launch: { user, env: { ...launch.env, HOME: account?.home ?? '/' } } };
}

/** What a login shell starts with. */
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
  return { env, envIncomplete: false, cwd: account?.home ?? unknown };
}

/** `su [OPTIONS] [-] [USER [ARGUMENTS]]` with `-c LINE`: options may stand anywhere. */
export function becomeSu(given: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const dash = given.operands.indexOf('-');
  const words = given.operands.filter((_, at) => at !== dash);
  const isLogin = given.has('l', 'login') || words.length < given.operands.length;
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
  // Without a line the remaining words are arguments of the shell.
  return args.length === 0 ? { nothing: true } : { launch: next, argv: [shell, ...args] };
}

/** As `su`; `runuser -u USER [--] PROGRAM` changes only the user. */
export function becomeRunuser(given: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const user = given.option('u', 'user');
  if (user !== undefined) return { argv: given.operands, launch: { user: userOf(world.files, user, launch.user) } };
  return becomeSu(permuted(given), launch, world);
}

/** `runuser - USER -c LINE`: options may follow the first word. */
function permuted(given: GivenOptions): GivenOptions {
  const rest: string[] = [];
  const more: [string, string][] = [];
  for (let at = 0; at < given.operands.length; at += 1) {
    const word = given.operands[at]!;
    const long = /^--(command|session-command|shell)(?:=([\s\S]*))?$/.exec(word);
    if (long !== null) more.push([long[1]!, long[2] ?? given.operands[++at] ?? '']);
    else if (/^-[a-z]*[cs]$/.test(word)) {
      for (const letter of word.slice(1, -1)) more.push([letter, '']);
      more.push([word.at(-1)!, given.operands[++at] ?? '']);
    } else if (/^-[lmpf]+$/.test(word)) for (const letter of word.slice(1)) more.push([letter, '']);
    else rest.push(word);
  }
  const all = (...names: string[]) => [
    ...given.all(...names),
    ...more.filter(([name]) => names.includes(name)).map(([, value]) => value),
  ];
  return {
    all,
    option: (...names) => all(...names).at(-1),
    has: (...names) => all(...names).length > 0,
    operands: rest,
  };
}

/** Variables that sudoers(5) keeps: `Defaults env_keep += "A B"`; all of them with `!env_reset`. */
function sudoersVariables(world: LaunchContext): { all: boolean; names: string[] } {
  const folder = world.files.list('/etc/sudoers.d', 1000);
  const paths = ['/etc/sudoers', ...(folder.ok ? folder.value : []).map((name) => `/etc/sudoers.d/${name}`)];
  const text = paths.map((path) => textOf(world, path) ?? '').join('\n');
  const lines = text.split('\n').filter((line) => /^\s*Defaults/.test(line));
  return {
    all: lines.some((line) => line.includes('!env_reset')),
    names: lines.flatMap((line) => /env_keep\s*\+?=\s*"?([^"]*)/.exec(line)?.[1]?.split(/\s+/) ?? []),
  };
}

export function becomeSudo(given: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const { option, all, has } = given;
  const name = option('u', 'user') ?? 'root';
  const account = accountOf(name, world);
  const sudoers = sudoersVariables(world);
  const preserved = all('preserve-env');
  const isWhole = sudoers.all || has('E') || preserved.includes('');
  const names = [...sudoers.names, ...preserved.flatMap((list) => list.split(',')), 'TERM'];
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
  let rest = [...given.operands];
  while (/^[A-Za-z_]\w*=/.test(rest[0] ?? '')) Object.assign(env, assignmentsOf([rest.shift()!]));
  if (rest[0] === '--') rest.shift();
  const isLogin = has('i', 'login');
  const cwd = option('D', 'chdir') ?? (isLogin ? home : launch.cwd);
  const next: Partial<Launch> = {
    ...(isLogin ? loginOf(account, launch) : { env, envIncomplete: isWhole && launch.envIncomplete }),
    cwd,
    user: userOf(world.files, name.replace(/^#/, ''), rootUser),
    ...(option('R', 'chroot') === undefined ? {} : { root: option('R', 'chroot')! }),
  };
  const background = has('b', 'background');
  if (!isLogin && !has('s', 'shell')) return { argv: rest, launch: next, background };
  if (rest.length === 0) return { nothing: true };
  // sudo passes the shell one line, in which all but letters, digits, `_`, `-` and `$` are escaped.
  rest = rest.map((word) => word.replace(/[^\w$-]/g, '\\$&'));
  return {
    launch: next,
    background,
    line: { text: rest.join(' '), shell: account?.shell ?? '/bin/sh', login: isLogin },
  };
}

export function becomeDoas(
  { option, has, operands: rest }: GivenOptions,
  launch: Launch,
  world: LaunchContext,
): Change {
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
  const envIncomplete = (keeps && launch.envIncomplete) || /\bsetenv\b/.test(rules);
  return { argv: rest, launch: { env, envIncomplete: envIncomplete, user: userOf(world.files, name, rootUser) } };
}

export function becomeSetpriv(
  { option, has, operands: rest }: GivenOptions,
  launch: Launch,
  world: LaunchContext,
): Change {
  const uid = option('reuid') ?? option('euid');
  const gid = option('regid') ?? option('egid');
  const user =
    uid === undefined && gid === undefined
      ? launch.user
      : userOf(world.files, `${uid ?? ''}${gid === undefined ? '' : `:${gid}`}`, launch.user);
  if (!has('reset-env')) return { argv: rest, launch: { user } };
  const account = uid === undefined ? accountOf('root', world) : accountOf(uid, world);
  const { env, envIncomplete } = loginOf(account, launch);
  return { argv: rest, launch: { user, env: env!, envIncomplete: envIncomplete! } };
}
