/** systemd-run(1): a program as a transient unit. */
import type { Environment, Launch, LaunchContext } from '../launch-context.js';
import { systemPath } from '../programs.js';
import { userOf } from '../users.js';
import { assignmentsOf } from './launcher-environment.js';
import type { Change, GivenOptions } from './launcher-options.js';
import { accountOf } from './launcher-users.js';

const timerOptions = [
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

/** Properties that change which files or environment the program sees. */
const fileProperties = [
  'RootDirectory',
  'RootImage',
  'BindPaths',
  'BindReadOnlyPaths',
  'EnvironmentFile',
  'PrivateTmp',
  'PrivateNetwork',
];

/** `systemd-run`: a transient unit has its own environment, directory and user; a scope inherits them. */
export function becomeSystemdRun(
  { option, all, has, operands: rest }: GivenOptions,
  launch: Launch,
  world: LaunchContext,
): Change {
  if (has(...timerOptions)) return { argv: rest, why: 'a timer starts it' };
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
  const network = properties['PrivateNetwork'] === undefined ? {} : { network: 'own' as const };
  return {
    argv: rest,
    background: !has('wait', 'pipe', 'P', 'pty', 't', 'S', 'shell'),
    ...(fileProperties.some((key) => properties[key] !== undefined)
      ? { why: 'a transient unit has settings of its own' }
      : {}),
    launch: {
      user,
      cwd,
      env: {
        PATH: systemPath,
        ...names,
        ...assignmentsOf(given),
        ...(properties['Environment'] === undefined ? {} : assignmentsOf([properties['Environment']])),
      },
      envIncomplete: false,
      ...network,
    },
  };
}
