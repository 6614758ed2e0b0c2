/**
 * `npm run bench:predict [-- --beside DIST] [--runs N] [CORPUS…]`: CPU time of predicting a corpus and of one `explain`, each
 * in a process of its own; alternates with another build (its `dist` folder), so that both run on the same machine state.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { beside: { type: 'string' }, runs: { type: 'string', default: '7' } },
});

/** Preloaded into the program; prints user and system time in microseconds at its end. */
const tellCost = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs'; process.on('exit', () => { const { user, system } = process.cpuUsage(); writeSync(3, String(user + system)); });",
)}`;

/** Seconds of CPU time. */
function costOf(program: string, args: readonly string[]): number {
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const;
  const { output, error } = spawnSync(process.execPath, ['--import', tellCost, program, ...args], {
    stdio: [...stdio],
  });
  if (error) throw error;
  return Number(String(output[3])) / 1e6;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

interface Subject {
  name: string;
  run(dist: string): number;
}

function subjectsOf(corpora: readonly string[]): Subject[] {
  const configuration = ['explain', '--', '/opt/filebeat/filebeat', '-c', '/dev/null'];
  return [
    { name: 'one explain', run: (dist) => costOf(join(dist, 'src/main.js'), configuration) },
    ...corpora.map((corpus) => ({
      name: corpus,
      run: (dist: string) => costOf(join(dist, 'test/support/conformance.js'), [corpus]),
    })),
  ];
}

const own = fileURLToPath(new URL('../../..', import.meta.url));
const builds = [own, ...(values.beside === undefined ? [] : [resolve(values.beside)])];
const given = positionals.length > 0 ? positionals : ['../shared/corpus', '../shared/corpus-open'];
const corpora = given.filter((path) => existsSync(path) || void console.error(`no corpus at ${path}: skipped`));

console.log(`CPU seconds, median of ${values.runs} runs in turns; Node.js ${process.version}`);
for (const { name, run } of subjectsOf(corpora)) {
  const costs = builds.map((): number[] => []);
  for (const dist of builds) run(dist);
  for (let round = 0; round < Number(values.runs); round++)
    for (const [at, dist] of builds.entries()) costs[at]!.push(run(dist));
  const [mine = 0, other] = costs.map(median);
  const beside = other === undefined ? '' : `  beside ${other.toFixed(2)}  (${(mine / other).toFixed(2)} of it)`;
  console.log(`${name.padEnd(24)} ${mine.toFixed(2)}${beside}`);
}
