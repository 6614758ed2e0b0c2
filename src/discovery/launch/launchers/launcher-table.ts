/**
 * Launchers: programs that start the program named after their options. Which options take a value, which words precede
 * the program, and what they change for it. From their man pages.
 */
import type { Launch, LaunchContext } from '../launch-context.js';
import { assignmentsOf, becomeChpst, becomeEnv, becomeEnvdir } from './launcher-environment.js';
import {
  busybox,
  daemonLibrary,
  filebeatGod,
  initFunction,
  ipCommand,
  netns,
  startStopDaemon,
  tmux,
} from './launcher-forms.js';
import type { Change, GivenOptions, Launcher } from './launcher-options.js';
import {
  becomeDoas,
  becomeGosu,
  becomeRunuser,
  becomeSetpriv,
  becomeSu,
  becomeSudo,
  becomeUser,
} from './launcher-users.js';
import { becomeSystemdRun } from './systemd-run.js';

const plain: Launcher = {};
const oneBefore: Launcher = { before: 1 };
const asUser: Launcher = { before: 1, change: becomeUser };
const limitValues = 'a c d f l m o p r s t';

/** By basename. */
export const launchers: Record<string, Launcher> = {
  // Scheduling and limits.
  nice: { values: 'n adjustment' },
  ionice: { values: 'c n p P u class classdata pid pgid uid' },
  chrt: { values: 'T P D sched-runtime sched-period sched-deadline', change: number },
  taskset: oneBefore,
  numactl: {
    values: 'i N m C p w interleave cpunodebind membind physcpubind preferred preferred-many weighted-interleave',
  },
  choom: { values: 'n p adjust pid' },
  prlimit: { values: 'o p output pid' },
  setarch: { change: architecture },
  linux32: plain,
  linux64: plain,
  i386: plain,
  softlimit: { values: limitValues },
  's6-softlimit': { values: limitValues },
  stdbuf: { values: 'i o e input output error' },
  time: { values: 'f o format output' },
  cgexec: { values: 'g' },
  cpulimit: { values: 'l p e P limit pid exe path' },
  eatmydata: plain,
  nocache: { values: 'n' },
  schedtool: { values: 'n p M a' },
  trickle: { values: 'u d w t l n L' },
  'aa-exec': { values: 'p n profile namespace' },
  'dbus-run-session': { values: 'config-file dbus-daemon' },
  unbuffer: plain,
  // Wrappers around a process.
  nohup: plain,
  setsid: { background: 'f fork' },
  setlock: oneBefore,
  pgrphack: plain,
  fghack: plain,
  chronic: plain,
  ts: { change: () => ({ nothing: true }) },
  strace: { values: 'o e p s u E a b I O S P U X', background: 'D' },
  ltrace: { values: 'o e p s u a n l x F' },
  valgrind: { values: '' },
  tini: { values: 'p e' },
  'tini-static': { values: 'p e' },
  'docker-init': { values: 'p e' },
  'dumb-init': { values: 'r rewrite' },
  catatonit: { values: 'g' },
  flock: { values: 'w E timeout wait conflict-exit-code', before: 1, change: shellOption },
  script: {
    values: 'c command E I O B T m o logging-format output-limit echo log-in log-out log-io log-timing',
    permutes: true,
    change: typescript,
  },
  'systemd-cat': { values: 't p identifier priority stderr-priority level-prefix namespace' },
  'systemd-inhibit': { values: 'what who why mode' },
  timeout: { values: 's k signal kill-after', before: 1 },
  authbind: { values: 'depth' },
  faketime: { values: 'p', before: 1 },
  sg: { before: 1, change: (given) => shellOption({ ...given }) },
  // Environment and user.
  env: { values: 'u C S unset chdir split-string argv0 a', change: becomeEnv },
  envdir: { before: 1, change: becomeEnvdir },
  's6-envdir': { values: 'c l', before: 1, change: becomeEnvdir },
  su: {
    values: 'c C s g G w command session-command shell group supp-group whitelist-environment',
    permutes: true,
    change: becomeSu,
  },
  runuser: {
    values: 'c u s g G w command session-command shell group supp-group user whitelist-environment',
    change: becomeRunuser,
  },
  sudo: {
    values:
      'u g h p C T D r t R U a user group host prompt close-from command-timeout chdir role type chroot other-user',
    change: becomeSudo,
  },
  doas: { values: 'u C a', change: becomeDoas },
  gosu: { before: 1, change: becomeGosu },
  'su-exec': { before: 1, change: becomeGosu },
  setuidgid: asUser,
  's6-setuidgid': asUser,
  envuidgid: oneBefore,
  setpriv: {
    values:
      'reuid regid ruid euid rgid egid groups inh-caps ambient-caps bounding-set securebits pdeathsig selinux-label apparmor-profile',
    change: becomeSetpriv,
  },
  chpst: { values: 'u U e / b n l L m d o p f c C r t', change: becomeChpst },
  capsh: { values: '', change: capsh },
  chroot: { values: 'userspec groups', before: 1, change: changedRoot },
  // Daemons.
  'start-stop-daemon': { change: startStopDaemon },
  start_daemon: { values: 'n p g', change: initFunction },
  daemonize: {
    values: 'c p l u o e E',
    change: ({ option, all }, launch, world) => ({
      background: true,
      launch: {
        cwd: option('c') ?? '/',
        env: { ...launch.env, ...assignmentsOf(all('E')) },
        ...(option('u') === undefined ? {} : becomeUser({ before: [option('u')!] }, launch, world).launch),
      },
    }),
  },
  daemon: { change: daemonLibrary },
  'filebeat-god': { change: filebeatGod },
  screen: { values: 'S s t T c h e p', change: screen },
  tmux: { change: tmux },
  'systemd-run': {
    values:
      'u p E M H unit property setenv uid gid slice working-directory description nice service-type host machine on-active on-boot on-startup on-unit-active on-unit-inactive on-calendar timer-property path-property socket-property expand-environment',
    change: becomeSystemdRun,
  },
  // Other namespaces.
  ip: { change: ipCommand },
  nsenter: { values: 't S G r w target setuid setgid', change: netns },
  unshare: {
    values: 'S G R w setuid setgid root wd propagation setgroups map-user map-group map-users map-groups',
    change: netns,
  },
  firejail: {
    values: '',
    change: ({ has }) => ({
      ...(has('net', 'netns') ? { launch: { network: 'own' as const } } : {}),
      ...(has(
        'private',
        'private-tmp',
        'private-etc',
        'private-home',
        'whitelist',
        'blacklist',
        'chroot',
        'overlay',
        'bind',
      )
        ? { why: 'firejail shows it other files than the host has' }
        : {}),
    }),
  },
  bwrap: {
    values: '',
    change: () => ({ why: 'bwrap shows it other files than the host has' }),
  },
  busybox: { change: busybox },
  toybox: { change: busybox },
};

/** `chrt -r 10 PROGRAM`; since util-linux 2.39 some policies take no number. */
function number({ operands: rest }: GivenOptions): Change {
  return { argv: /^\d+$/.test(rest[0] ?? '') ? rest.slice(1) : rest };
}

/** `setarch x86_64 -R PROGRAM`. */
function architecture({ operands: rest }: GivenOptions): Change {
  const isProgram = rest[0]?.includes('/') ?? true;
  const inner = isProgram ? rest : rest.slice(1);
  const program = inner.findIndex((word) => !word.startsWith('-'));
  return program < 0 ? { nothing: true } : { argv: inner.slice(program) };
}

/** `flock FILE -c LINE`, `flock -c LINE FILE`. */
function shellOption({ operands: rest }: GivenOptions): Change {
  const isLine = rest[0] === '-c' || rest[0] === '--command';
  if (rest[0]?.startsWith('--command=')) return { line: { text: rest[0].slice(10) } };
  return isLine && rest[1] !== undefined ? { line: { text: rest[1] } } : {};
}

function typescript({ option }: GivenOptions): Change {
  const text = option('c', 'command');
  return text === undefined ? { nothing: true } : { line: { text } };
}

/** `capsh --user=x -- -c LINE`: starts bash with the words after `--`. */
function capsh({ option, operands: rest }: GivenOptions, launch: Launch, world: LaunchContext): Change {
  const user = option('user');
  const become = user === undefined ? {} : becomeUser({ before: [user] }, launch, world);
  return { ...become, argv: ['/bin/bash', ...rest] };
}

/** `screen -dmS logs PROGRAM` detaches and ends; `-D -m` stays in the foreground. */
function screen({ has, operands: rest }: GivenOptions): Change {
  return has('d', 'D') && has('m') ? { background: has('d'), argv: rest } : { nothing: true };
}

function changedRoot(
  { before, option }: GivenOptions & { before: string[] },
  launch: Launch,
  world: LaunchContext,
): Change {
  const user = option('userspec');
  const become = user === undefined ? {} : becomeUser({ before: [user] }, launch, world).launch;
  return { launch: { root: before[0] ?? '/', cwd: '/', ...become } };
}
