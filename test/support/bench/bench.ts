/**
 * `npm run bench`: builds a host of real processes in namespaces of its own, and measures the exporter and other tools.
 * `--quick` only checks that it works; its figures mean nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { underAttack } from './attacks.js';
import { grow } from './growth.js';
import { plot } from './plot.js';
import { SETTLED_MS, sideBySide } from './rounds.js';
import { along, type Results, results } from './tell.js';
import { buildWorld } from './world.js';

const { values } = parseArgs({
  options: {
    bystanders: { type: 'string', short: 'N', default: '1000' },
    descriptors: { type: 'string', short: 'M', default: '50' },
    instances: { type: 'string', short: 'I', default: '15' },
    ports: { type: 'string', short: 'P', default: '15' },
    rounds: { type: 'string', default: '9' },
    interval: { type: 'string', default: '15' },
    /** A folder for results.md, results.json and the plots. */
    output: { type: 'string' },
    /** Without it, growth and attacks are left out: four minutes instead of a quarter of an hour. */
    growth: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Only this run's processes are on its host, and they end with it. */
function enterHost(): boolean {
  if (process.env['BENCH_HOST'] !== undefined) return false;
  const options = ['--pid', '--net', '--mount', '--mount-proc', '--fork', '--kill-child'];
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const enter = [...user, ...options];
  if (spawnSync('unshare', [...enter, 'true']).status !== 0) {
    console.error('no namespaces for a host of its own: what else runs here is measured too');
    return false;
  }
  const again = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...process.argv];
  const env = { ...process.env, BENCH_HOST: '1' };
  process.exitCode = spawnSync('unshare', [...enter, ...again], { stdio: 'inherit', env }).status ?? 1;
  return true;
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node.js ${process.version}`;
}

async function run(): Promise<Results> {
  const { quick } = values;
  const size = quick
    ? { bystanders: 20, descriptors: 5, instances: 2, ports: 3 }
    : {
        bystanders: Number(values.bystanders),
        descriptors: Number(values.descriptors),
        instances: Number(values.instances),
        ports: Number(values.ports),
      };
  const effort = quick
    ? { rounds: 1, interval: 0, scrapes: 20, starts: 1 }
    : { rounds: Number(values.rounds), interval: Number(values.interval), scrapes: 1000, starts: 7 };
  const settle = quick ? 0 : SETTLED_MS;
  const tell = (line: string) => console.error(line);
  const world = await buildWorld(size);
  const { side, attacks } = await (async () => ({
    side: await sideBySide(world, effort, settle),
    attacks: values.growth || quick ? await underAttack(world, quick ? 0.01 : 1, settle) : [],
  }))().finally(() => world.stop());
  const growth =
    values.growth || quick
      ? await grow({ base: size, interval: effort.interval, scale: quick ? 0.004 : 1, settle }, tell)
      : [];
  return { machine: machine(), size, effort, sideBySide: side, growth, attacks };
}

function write(folder: string, found: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.md'), `${results(found)}`);
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(found, null, 1)}\n`);
  for (const direction of ['processes', 'descriptors', 'instances', 'ports'] as const) {
    const points = along(found.growth, direction);
    if (points.length === 0) continue;
    const own = { title: 'a warm /metrics', points: points.map(([x, { cpu }]) => [x, cpu] as const) };
    const ss = points.flatMap(([x, point]) => (point.ss === undefined ? [] : [[x, point.ss] as const]));
    const title = `Processor time and ${direction}`;
    writeFileSync(join(folder, `${direction}.svg`), plot(title, direction, 'ms', [own]));
    const both = [own, { title: 'ss -lunp', points: ss }];
    if (ss.length > 0) writeFileSync(join(folder, `${direction}-ss.svg`), plot(title, direction, 'ms', both));
  }
}

if (!enterHost()) {
  const found = await run();
  console.log(values.json ? JSON.stringify(found, null, 1) : results(found));
  if (values.output !== undefined) write(values.output, found);
}
