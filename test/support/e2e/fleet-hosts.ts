/** Hosts with their own network and pid namespaces and exporter, behind one bridge; one shell for each. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mainFile } from '../exporter.js';
import { until } from '../live.js';
import { bindingInput } from '../machine-filebeat.js';
import { writeStub } from '../stub-program.js';
import { udpConfig } from '../world.js';

export interface FleetHost {
  /** `10.77.0.1:9117`: its label `instance`. */
  readonly instance: string;
  /** Kills its Filebeat of that name. */
  kill(filebeat: string): void;
  /** Ends all of it, the exporter too. */
  end(): Promise<void>;
}

/** `$1`: number of the host, `$2`: folder; gets a line on standard input once it has its interface. */
const life = `set -eu
echo ready
read go
ip link set lo up
ip address add "10.77.0.$1/24" dev eth0
ip link set eth0 up
cd "$2/$1"
for name in $(ls *.yml | sed 's/.yml$//'); do
  "$2/filebeat" -c "$2/$1/$name.yml" --path.home "$2" --path.data "$2/$1/$name" <"$name.sockets" >/dev/null &
done
shift 2
exec "$@"`;

function ip(...words: string[]): void {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
}

/** Once, before the hosts: this side of their network, and the shared program. */
export function prepareFleet(folder: string): void {
  writeStub(join(folder, 'filebeat'));
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'fleet', 'type', 'bridge');
  ip('address', 'add', '10.77.0.254/24', 'dev', 'fleet');
  ip('link', 'set', 'fleet', 'up');
}

function processesOf(config: string): number[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0${config}\0`)
        ? [Number(pid)]
        : [];
    } catch {
      return []; // It has just ended.
    }
  });
}

/** `filebeats`: name → declared ports and bound ports. */
export async function startHost(
  folder: string,
  number: number,
  filebeats: Record<string, { asks: number[]; binds: number[] }>,
): Promise<FleetHost> {
  const own = join(folder, String(number));
  mkdirSync(own);
  for (const [name, { asks, binds }] of Object.entries(filebeats)) {
    writeFileSync(join(own, `${name}.yml`), udpConfig(asks.map((port) => `0.0.0.0:${port}`)), { mode: 0o600 });
    writeFileSync(join(own, `${name}.sockets`), bindingInput(binds.map((port) => `udp 0.0.0.0:${port}`)));
  }
  const instance = `10.77.0.${number}:9117`;
  const exporter = [process.execPath, mainFile, 'serve', `--web.listen-address=${instance}`, '--scan.grace=0s'];
  const child: ChildProcess = spawn(
    'unshare',
    [
      ...['--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', life, 'sh', `${number}`, folder],
      ...[...exporter, `--state.file=${join(own, 'state.json')}`],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const wait = (what: string, ready: () => boolean) =>
    until(
      `host ${number} ${what}`,
      () => {
        if (child.exitCode !== null) throw new Error(`host ${number}: ${said}`);
        return ready();
      },
      60,
    );
  await wait('has its namespaces', () => said.includes('ready'));
  // `unshare` itself is in the new network namespace, and its child too.
  ip('link', 'add', `v${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(child.pid));
  ip('link', 'set', `v${number}`, 'master', 'fleet', 'up');
  child.stdin!.write('go\n');
  await wait('serves', () => said.includes('msg=listening'));
  return {
    instance,
    kill(filebeat) {
      for (const pid of processesOf(join(own, `${filebeat}.yml`))) process.kill(pid, 'SIGKILL');
    },
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
