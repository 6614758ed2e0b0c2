// `npm test`: format, lint, types, unit and live tests, conformance. Arguments select test files by a part of their path.
// With --unit: only tests that start no program and open no socket, without lint and conformance; under a minute.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));

function step(title, command, args) {
  console.log(`\n# ${title}`);
  const { status, signal } = spawnSync(command, args, { cwd: top, stdio: 'inherit' });
  if (status === 0) return;
  console.log(`# ${title}: failed${signal ? ` (${signal})` : ''}`);
  process.exit(1);
}

/** The default of --state.file: a test that forgets the flag would write to it. */
const stateFile = '/var/lib/filebeat-port-exporter/state.json';
const hadState = existsSync(stateFile);

step('install and compile what is missing', process.execPath, ['scripts/ready.mjs']);
const isUnitRun = process.argv.includes('--unit');
if (!isUnitRun)
  step('format and lint', process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings']);
const wanted = process.argv.slice(2).filter((word) => word !== '--unit');
const files = readdirSync(join(top, 'dist', 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.js') && (wanted.length === 0 || wanted.some((w) => name.includes(w))))
  .sort()
  .map((name) => join('dist', 'test', name));
// These run one file at a time: they scan the whole host, where processes of other tests would show up, or measure.
const alone = /^dist\/test\/(live|hostile)\//;
// A test that hangs fails after this time; Node supports it since 20.11.
const [major, minor] = process.versions.node.split('.').map(Number);
const bound = major > 20 || minor >= 11 ? ['--test-timeout=900000'] : [];
const reporters = ['tap', './scripts/skipped.mjs'].flatMap((name) => [
  `--test-reporter=${name}`,
  '--test-reporter-destination=stdout',
]);
/** A test that imports one of these, directly or through files below test/, starts programs or opens sockets. */
const impure = /^node:(?:child_process|cluster|dgram|http|https|inspector|net|tls|worker_threads)$/;
const pure = new Map();
function isPure(file) {
  if (pure.has(file)) return pure.get(file);
  pure.set(file, true);
  const text = readFileSync(join(top, file), 'utf8');
  const found = [...text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, name]) => name);
  const inside = found.map((name) => join(dirname(file), name)).filter((name) => /^dist\/test\/.*\.js$/.test(name));
  pure.set(file, !found.some((name) => impure.test(name)) && inside.every(isPure));
  return pure.get(file);
}
const run = (title, concurrency, selected) => {
  if (selected.length > 0)
    step(title, process.execPath, ['--test', ...bound, ...reporters, `--test-concurrency=${concurrency}`, ...selected]);
};
if (isUnitRun) {
  run(
    'unit tests',
    2,
    files.filter((file) => !alone.test(file) && isPure(file)),
  );
  process.exit();
}
run(
  'tests',
  2,
  files.filter((file) => !alone.test(file)),
);
run(
  'tests on the live host',
  1,
  files.filter((file) => alone.test(file)),
);
if (!hadState && existsSync(stateFile)) {
  console.log(`# a test made ${stateFile}: it started an exporter without --state.file`);
  process.exit(1);
}
if (wanted.length === 0) {
  step('conformance', process.execPath, ['dist/test/support/conformance.js']);
  step('hosts of a real systemd', process.execPath, ['dist/test/support/launch-cases.js']);
  // Downloads the releases from npm, so only in CI.
  if (process.env.CI) step('other Node.js releases', process.execPath, ['scripts/node-versions.mjs']);
}
