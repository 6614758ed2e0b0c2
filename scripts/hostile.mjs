// `npm run test:hostile`: secrets, spoilt texts, hanging reads, clocks, limits, chaos and load, with their seeds and counts.
// `-- stability` runs the files whose name has that word; `-- --long`: ten minutes of chaos.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));
const long = process.argv.includes('--long');
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const ready = spawnSync(process.execPath, ['scripts/ready.mjs'], { cwd: top, stdio: 'inherit' });
if (ready.status !== 0) process.exit(1);
const files = readdirSync(join(top, 'dist', 'test'), { recursive: true })
  .filter((name) => /^(hostile\/.*|web\/auth|filebeat\/fuzz)\.test\.js$/.test(name))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort()
  .map((name) => join('dist', 'test', name));
const env = {
  ...process.env,
  ...(long ? { CHAOS_SECONDS: process.env.CHAOS_SECONDS ?? '600', HOSTILE_ROUNDS: '20000' } : {}),
};
// No test outlives this; the chaos has a limit of its own. Milliseconds.
const timeout = (long ? 720 : 300) * 1000;
const began = Date.now();
const child = spawn(
  process.execPath,
  ['--test', '--test-concurrency=1', `--test-timeout=${timeout}`, '--test-reporter=tap', ...files],
  { cwd: top, env, stdio: ['ignore', 'pipe', 'inherit'] },
);
// The reporter quotes what a test prints; of all else only verdicts are of interest.
let rest = '';
const failures = [];
let telling = false;
child.stdout.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) {
    if (/^ +(not )?ok /.test(line))
      console.log(
        line
          .trim()
          .replace(/^ok \d+ - /, 'ok      ')
          .replace(/^not ok \d+ - /, 'NOT OK  '),
      );
    else if (/^# \\# /.test(line)) console.log(`        ${line.slice(5)}`);
    else if (/^# (tests|pass|fail|skipped) /.test(line)) console.log(line.slice(2));
    // From `error:` to the stack, which says nothing more.
    if (/^ +error: /.test(line)) telling = true;
    if (/^ +(code|stack|name): /.test(line)) telling = false;
    if (telling) failures.push(line);
  }
});
child.once('close', (code) => {
  for (const line of failures) console.log(line);
  console.log(`${((Date.now() - began) / 1000).toFixed(0)} s`);
  process.exit(code ?? 1);
});
