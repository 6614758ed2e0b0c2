/** Launchers, compared with the real programs: what they start has the arguments, directory, user and environment of the table. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { follow } from '../../src/discovery/launch/follow.js';
import { newLaunchContext } from '../../src/discovery/launch/new-launch-context.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { until } from '../support/live.js';
import { needs, rootOnly } from '../support/needs.js';

const top = mkdtempSync(join(tmpdir(), 'launchers-'));
after(() => rmSync(top, { recursive: true, force: true }));
chmodSync(top, 0o777);
const recorder = join(top, 'filebeat');
const record = join(top, 'record');
// It prints its directory, arguments and environment. The file name makes readers take it for a Filebeat.
writeFileSync(
  recorder,
  `#!/bin/sh\nprintf '%s\\n' "\${PWD}" "$(/usr/bin/id -u)" "\${PORT-none}" "$@" end >> '${record}'\n`,
  { mode: 0o755 },
);
const variables = join(top, 'env');
mkdirSync(variables);
writeFileSync(join(variables, 'PORT'), '77\nmore\n');
const lock = join(top, 'lock');

/** `R` stands for the recorder. */
const lines: string[] = [
  'nice R a',
  'nice -n 5 R a b',
  'nice -5 R a',
  'nice --adjustment=3 -- R a',
  'ionice -c 2 -n 3 R a',
  'ionice -t -c3 R a',
  'chrt -o 0 R a',
  'chrt --batch 0 R a',
  'taskset 1 R a',
  'taskset -c 0 R a',
  'choom -n 100 -- R a',
  'prlimit -n512:512 -- R a',
  'prlimit --nofile=512 R a',
  'setarch x86_64 -R R a',
  'stdbuf -oL R a',
  'stdbuf -o L -e 0 R a',
  'time -f %e R a',
  'nohup R a',
  'nohup -- R a',
  'setsid R a',
  'setsid -f R a',
  'setsid -w R a',
  `flock ${lock} R a`,
  `flock -n -E 9 ${lock} R a`,
  `flock ${lock} -c LINE`,
  'timeout 20 R a',
  'timeout -k 5 -s INT 20s R a',
  'timeout --signal=INT --kill-after=5 20 R a',
  'env A=1 PORT=2 R a',
  'env -i PORT=3 R a',
  'env - R a',
  'env -u PORT R a',
  'env -C /usr R a',
  'env --chdir=/usr PORT=8 R a',
  'su -s /bin/sh nobody -c LINE',
  'su nobody --shell /bin/sh --command LINE',
  'su -m -s /bin/sh nobody -c LINE',
  'su -c LINE',
  'runuser -u nobody -- R a',
  'runuser -u nobody R a',
  'runuser nobody -s /bin/sh -c LINE',
  'setpriv --reuid=65534 R a',
  'setpriv --reuid 65534 --reset-env R a',
  'script -q -c LINE /dev/null',
  'unshare -n R a',
  'unshare --net --mount R a',
  'start-stop-daemon --start --startas R --pidfile /nonexistent/pid -- a b',
  'start-stop-daemon -S -a R -p /nonexistent/pid -d /usr -c nobody -- a',
  'start-stop-daemon -S -b -a R -p /nonexistent/pid -d /usr -- a',
  'chroot / R a',
  'chroot --userspec=65534:65534 / R a',
  'sudo -u nobody R a',
  'sudo -n -u #65534 PORT=5 R a',
  'sudo -E -u nobody R a',
  'sudo --preserve-env=PORT -u nobody -- R a',
  'gosu nobody R a',
  'chpst -u nobody R a',
  `chpst -e ${variables} -n 2 R a`,
  `envdir ${variables} R a`,
  `s6-envdir ${variables} R a`,
  's6-setuidgid nobody R a',
  'setuidgid nobody R a',
  'softlimit -o 200 R a',
  's6-softlimit -o 200 R a',
  `setlock -n ${lock} R a`,
  'pgrphack R a',
  'tini -s -- R a',
  'dumb-init --single-child R a',
  'chronic R a',
  'strace -o /dev/null R a',
  'authbind --deep R a',
  'faketime -f +2d R a',
  'numactl --localalloc -- R a',
  'daemonize -c /usr R a',
  'daemonize R a',
  'screen -dmS recorder R a',
  'eatmydata R a',
  'cpulimit -l 50 -- R a',
  'capsh -- -c LINE',
  'busybox sh -c LINE',
  'busybox env PORT=6 R a',
  'sh -c LINE',
  'bash -ec LINE',
  'sh -c ARGS zero one two',
];
const words: Record<string, string> = { R: recorder, LINE: `${recorder} 'b c' d`, ARGS: `exec ${recorder} "$0" "$@"` };

const has = (program: string) => spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;

describe('launchers', rootOnly, () => {
  for (const line of lines) {
    const argv = line.split(' ').map((word) => (Object.hasOwn(words, word) ? words[word]! : word));
    const [program] = argv as [string];
    it(
      `${line}`,
      needs(program, () => has(program)),
      async () => {
        rmSync(record, { force: true });
        writeFileSync(record, '');
        chmodSync(record, 0o666);
        rmSync(lock, { force: true });
        const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', PORT: '1', HOME: '/root' };
        const cwd = '/etc';
        spawnSync(program, argv.slice(1), { cwd, env, stdio: 'ignore', timeout: 60_000 });
        const world = newLaunchContext(openFileView('/'), []);
        const launch = { argv, program, cwd, env, envIncomplete: false, root: '/', network: 'host' as const, depth: 0 };
        follow({ ...launch, user: { name: 'root', uid: 0, gid: 0 }, uncertain: [], byShell: true }, world);
        assert.equal(world.starts.length, 1, JSON.stringify(world.unclear));
        const [start] = world.starts;
        assert.deepEqual(start!.uncertain, []);
        const said = [
          start!.cwd,
          String(start!.user.uid),
          start!.env['PORT'] ?? 'none',
          ...start!.argv.slice(1),
          'end',
        ];
        await until('the recorder wrote', () => readFileSync(record, 'utf8').endsWith('end\n'));
        assert.deepEqual(readFileSync(record, 'utf8').split('\n').slice(0, -1), said);
      },
    );
  }
});
