/** Launchers with a command line of a special form. */
import { absolute, type Launch, type LaunchContext } from '../launch-context.js';
import { userOf } from '../users.js';
import { type Change, type GivenOptions, readOptions } from './launcher-options.js';

/** `start-stop-daemon --start --exec PROGRAM … -- ARGUMENTS`; other actions start nothing. */
export function startStopDaemon({ operands: words }: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const given = readOptions(words, {
    values:
      'x a n p P u g c r d N I k s R e O exec startas name pid ppid pidfile user group chuid chroot chdir nicelevel iosched procsched umask signal retry notify-timeout output',
  });
  const program = given.option('a', 'startas') ?? given.option('x', 'exec');
  if (program === undefined || !given.has('S', 'start') || given.has('K', 'stop', 'T', 'status', 't', 'test'))
    return { nothing: true };
  const user = given.option('c', 'chuid');
  const group = given.option('g', 'group');
  const root = given.option('r', 'chroot');
  const spec = `${user ?? ''}${group === undefined ? '' : `:${group}`}`;
  return {
    argv: [program, ...given.operands],
    background: given.has('b', 'background'),
    launch: {
      cwd: given.option('d', 'chdir') ?? '/',
      ...(user === undefined && group === undefined ? {} : { user: userOf(world.files, spec, launch.user) }),
      ...(root === undefined ? {} : { root }),
    },
  };
}

/** `filebeat-god [-n] [-f] [-r DIR] [-p FILE] -- PROGRAM`: without -f it goes into the background. */
export function filebeatGod({ operands: words }: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const given = readOptions(words, { values: 'r d p l u g s root directory pidfile logfile user group signal' });
  const user = given.option('u', 'user');
  return {
    argv: given.operands,
    background: !given.has('f', 'foreground'),
    launch: {
      cwd: given.option('r', 'd', 'root', 'directory') ?? '/',
      ...(user === undefined ? {} : { user: userOf(world.files, user, launch.user) }),
    },
  };
}

/**
 * libslack's daemon(1): `daemon --name=x --chdir=/srv -- PROGRAM`; and the function of RPM's init scripts:
 * `daemon --user filebeat --pidfile=… "PROGRAM …"`, whose words are one shell line.
 */
export function daemonLibrary(given: GivenOptions, launch: Launch, world: LaunchContext): Change {
  return launch.program.includes('/') ? libslack(given, launch, world) : initFunction(given, launch, world);
}

function libslack({ operands: words }: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const given = readOptions(words, {
    values:
      'n u R D m e F P X C A L M o O E l b r=  name user chroot chdir umask env pidfile pidfiles command config limit attempts delay output stdout stderr errlog dbglog idlog',
  });
  if (given.has('stop', 'running', 'restart', 'list', 'signal')) return { nothing: true };
  const user = given.option('u', 'user');
  const name = given.option('n', 'name');
  const [program, ...args] = given.operands;
  if (program === undefined) return { nothing: true };
  return {
    argv: [program, ...args],
    background: !given.has('f', 'foreground'),
    launch: {
      cwd: given.option('D', 'chdir') ?? '/',
      ...(user === undefined ? {} : { user: userOf(world.files, user, launch.user) }),
      ...(given.option('R', 'chroot') === undefined ? {} : { root: given.option('R', 'chroot')! }),
      ...(name === undefined ? {} : { argv: [`${name}: ${program}`, ...args] }),
    },
  };
}

/** `daemon`, `start_daemon` of /etc/init.d/functions and /lib/lsb/init-functions. */
export function initFunction({ operands: words, option }: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const given = readOptions(words, { values: 'user check pidfile' });
  const inner = given.operands.filter((word, at, all) => !(at === 0 && /^[-+]\d+$/.test(word) && all.length > 1));
  const user = given.option('user') ?? option('user');
  const next: Partial<Launch> = user === undefined ? {} : { user: userOf(world.files, user, launch.user) };
  if (inner.length === 0) return { nothing: true };
  return { launch: next, line: { text: inner.join(' ') } };
}

/** `ip [OPTIONS] netns exec NAME PROGRAM`, `ip vrf exec NAME PROGRAM`; other commands start nothing. */
export function ipCommand({ operands: words }: GivenOptions): Change {
  const at = words.findIndex(
    (word, index) => !word.startsWith('-') && !/^-(?:n|netns|f|family|b|batch)$/.test(words[index - 1] ?? ''),
  );
  const [object, action, name, ...argv] = at < 0 ? [] : words.slice(at);
  if (name === undefined || !'exec'.startsWith(action ?? ' ')) return { nothing: true };
  if (object === 'netns') return { argv, launch: { network: 'own' } };
  return object === 'vrf' ? { argv } : { nothing: true };
}

/** nsenter(1), unshare(1). */
export function netns({ has, option, operands: rest }: GivenOptions, launch: Launch): Change {
  const root = option('R', 'root', 'r');
  const cwd = option('w', 'wd');
  const isEntering = has('t', 'target');
  const why =
    isEntering || has('m', 'mount') || has('a', 'all') ? 'it sees the files of another mount namespace' : undefined;
  return {
    argv: rest,
    // `unshare -m` starts with the host's files.
    ...(why === undefined || !isEntering ? {} : { why }),
    launch: {
      ...(has('n', 'net', 'a', 'all') ? { network: 'own' as const } : {}),
      ...(root === undefined || root === '' ? {} : { root, cwd: '/' }),
      ...(cwd === undefined || cwd === '' ? {} : { cwd: absolute(cwd, launch.cwd) }),
    },
  };
}

/** `tmux new -d -s NAME LINE`: detached. */
export function tmux({ operands: words }: GivenOptions, launch: Launch): Change {
  const outer = readOptions(words, { values: 'L S f c T' });
  const [command, ...more] = outer.operands;
  if (command === undefined || !'new-session'.startsWith(command)) return { nothing: true };
  const given = readOptions(more, { values: 'n s t c x y e F f' });
  if (!given.has('d') || given.operands.length === 0) return { nothing: true };
  const next: Partial<Launch> = { cwd: given.option('c') ?? launch.cwd };
  const isLine = given.operands.length === 1;
  return {
    background: true,
    launch: next,
    ...(isLine ? { line: { text: given.operands[0]! } } : { argv: given.operands }),
  };
}

/** `busybox sh -c …`: the first word is the program. */
export function busybox({ operands: rest }: GivenOptions): Change {
  return rest.length === 0 ? { nothing: true } : { argv: rest };
}
