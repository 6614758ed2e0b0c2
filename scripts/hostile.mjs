// `npm run test:hostile`: secrets, corrupted files, hanging reads, clocks, limits, chaos and load, with their seeds and counts.
// `-- stability` runs the files whose name contains that word; `-- --long` runs ten minutes of chaos.
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
// Limit of a test in milliseconds; the chaos run has its own.
const timeout = (long ? 720 : 300) * 1000;
const began = Date.now();
const child = spawn(
  process.execPath,
  ['--test', '--test-concurrency=1', `--test-timeout=${timeout}`, '--test-reporter=tap', ...files],
  { cwd: top, env, stdio: ['ignore', 'pipe', 'inherit'] },
);
// Prints verdicts, what the tests print themselves, and at the end the errors.
let partialLine = '';
const failures = [];
let inError = false;
child.stdout.setEncoding('utf8').on('data', (text) => {
  const lines = (partialLine + text).split('\n');
  partialLine = lines.pop();
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
    // From `error:` to the stack, which adds nothing.
    if (/^ +error: /.test(line)) inError = true;
    if (/^ +(code|stack|name): /.test(line)) inError = false;
    if (inError) failures.push(line);
  }
});
child.once('close', (code) => {
  for (const line of failures) console.log(line);
  console.log(`${((Date.now() - began) / 1000).toFixed(0)} s`);
  process.exit(code ?? 1);
});
