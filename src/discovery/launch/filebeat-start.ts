/** A Filebeat at the end of a command line, and why it could not be executed. */
import { isCollector } from '../../filebeat/config/command.js';
import {
  absolute,
  ended,
  isKnown,
  isSettled,
  type Launch,
  type LaunchContext,
  type Outcome,
} from './launch-context.js';
import { contentOf, type Found } from './programs.js';
import { withoutUnknown } from './start-words.js';
import { noSuchUser } from './users.js';

/** Notes why the kernel would not execute a program: execve(2). */
export function noteFailure(found: Found, launch: Launch, world: LaunchContext): void {
  const { program } = launch;
  if (found.kind === 'missing')
    world.failures.push(
      program.includes('/')
        ? `${program} does not exist`
        : `${program} is in no directory that systemd searches for programs`,
    );
  if (found.kind !== 'file') return;
  if (!found.executable) world.failures.push(`${found.path} is not executable`);
  else if (contentOf(found.path, world).kind === 'text')
    world.failures.push(`${found.path} is a script without #! (Exec format error)`);
}

/** Notes what a launcher before the Filebeat would fail at. */
function noteRefusal({ cwd, user }: Launch, world: LaunchContext): void {
  if (user.why === noSuchUser) world.failures.push(`there is no user ${user.name ?? user.uid}`);
  const stat = isKnown(cwd) && isSettled(cwd, world) ? world.files.stat(cwd) : undefined;
  if (stat !== undefined && !stat.ok && stat.gap.reason === 'missing')
    world.failures.push(`the directory ${cwd} does not exist`);
}

/** Notes the start of a Filebeat. */
export function filebeat(path: string, launch: Launch, world: LaunchContext): Outcome {
  if (!isCollector(launch.argv)) {
    // `test config` is taken to succeed: if it fails, the start behind it fails too.
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
    envHidden: { any: launch.envIncomplete, names },
    uncertain: [
      ...launch.uncertain,
      ...whys,
      ...(isRelative ? ['the directory in which it starts is known only at run time'] : []),
    ],
    files: [...world.read],
  });
  return { ends: false };
}
