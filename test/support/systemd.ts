/**
 * A machine with a real systemd as PID 1: its own namespaces and control groups on this host, and this system's root below
 * an overlay that is removed with it. It starts in less than a second and has only `lo`. Needs root.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { until } from './live.js';
import { becomeMachine, enterOwnGroup, removeGroup } from './machine-setup.js';
import { isRoot, needs } from './needs.js';

const namespaces = ['--pid', '--mount', '--net', '--uts', '--ipc', '--cgroup'];

export const needsSystemd = needs(
  'root, systemd, and leave to make namespaces',
  () =>
    isRoot &&
    existsSync('/lib/systemd/systemd') &&
    spawnSync('unshare', [...namespaces, '--fork', '--mount-proc', 'true']).status === 0,
);

export interface Said {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Machine {
  /** The pid of its PID 1 on this host. */
  readonly pid: number;
  /** The path on this host of a file of the machine, while it runs. */
  path(path: string): string;
  /** Writes a file and creates its folders. */
  write(path: string, data: string | Buffer, mode?: number): void;
  /** Runs a shell script as root with `sh -e`, for at most a minute. */
  try(script: string): Said;
  /** The same; throws its output unless it exits with 0. Returns the output without the final newline. */
  sh(script: string): string;
  /** The journal of a unit. */
  journal(unit: string): string;
  /** Kills the machine. */
  stop(): Promise<void>;
}

/** Commands in the machine belong to no unit, as on a terminal. */
const asByHand =
  'mkdir -p /sys/fs/cgroup/user.slice/hand.scope; echo $$ >/sys/fs/cgroup/user.slice/hand.scope/cgroup.procs';
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** PID 1 of the machine: the only child of the `unshare` that created its namespaces. */
async function firstProcess(outer: ChildProcess): Promise<number> {
  const child = await until('the machine has a process', () => {
    if (outer.exitCode !== null) throw new Error(`no machine: unshare ended with ${outer.exitCode}`);
    return /^\d+/.exec(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8'))?.[0];
  });
  return Number(child);
}

/** Boots and waits until systemd has started everything. */
export async function boot(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-'));
  const group = basename(folder);
  // The machine ends with this process, whatever ends it.
  const outer = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', ...namespaces.filter((one) => one !== '--cgroup')],
      ...['--kill-child', '--fork', 'sh', '-c', enterOwnGroup, 'sh', folder, group, becomeMachine],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaints = '';
  outer.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = new Promise<void>((resolve) => outer.once('close', () => resolve()));
  const clear = () => {
    spawnSync('unshare', ['--mount', 'sh', '-c', removeGroup, 'sh', folder, group]);
    rmdirSync(folder);
  };
  const pid = await firstProcess(outer).catch(async (error: Error) => {
    outer.kill('SIGKILL');
    await ended;
    clear();
    throw new Error(`${error.message}: ${complaints}`);
  });

  const inside = (script: string): Said =>
    spawnSync(
      'nsenter',
      [`--target=${pid}`, '--all', 'env', '-i', `PATH=${path}`, 'HOME=/root', 'sh', '-ec', `${asByHand}\n${script}`],
      { encoding: 'utf8', timeout: 60_000, cwd: '/', maxBuffer: 64 * 1024 * 1024 },
    );
  const stop = async () => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await ended;
    clear();
  };
  try {
    await until(
      'systemd has started everything',
      () => {
        if (outer.exitCode !== null) throw new Error(`systemd ended: ${complaints}`);
        return /running|degraded/.test(inside('systemctl is-system-running --wait').stdout);
      },
      60,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const machine: Machine = {
    pid,
    path: (inner) => `/proc/${pid}/root${inner}`,
    write(inner, data, mode = 0o644) {
      const outside = machine.path(inner);
      mkdirSync(dirname(outside), { recursive: true });
      rmSync(outside, { force: true });
      writeFileSync(outside, data);
      chmodSync(outside, mode);
    },
    try: inside,
    sh(script) {
      const said = inside(script);
      if (said.status !== 0) throw new Error(`${script}\nended with ${said.status}:\n${said.stdout}${said.stderr}`);
      return said.stdout.replace(/\n$/, '');
    },
    journal: (unit) => machine.sh(`journalctl --no-pager --output=cat --unit=${unit}`),
    stop,
  };
  // If Node.js is not installed as a package, services find it by PATH.
  if (!existsSync('/usr/bin/node')) symlinkSync(process.execPath, machine.path('/usr/local/bin/node'));
  return machine;
}
