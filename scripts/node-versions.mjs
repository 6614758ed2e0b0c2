// Runs unit tests and conformance on other Node.js releases, from npm's package `node`: `node scripts/node-versions.mjs 22 24`.
// Tests that depend on the machine rather than on Node.js (live tests, browser, packages, Prometheus) or measure time are left out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));
const supported = ['20', '22', '24'];
const aboutTheMachine = /^(live|hostile|prometheus)\/|^(project\/(packages|docs-)|cli\/completion|web\/(auth|deploy))/;

function run(program, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 600_000,
  });
  if (status === 0) return stdout;
  console.error(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
  throw new Error(`${program} ${args.slice(0, 3).join(' ')} …: ${status}`);
}

/** Installs a release: path of its program, and its version such as `v22.23.3`. */
function fetchNode(major, folder) {
  writeFileSync(join(folder, 'package.json'), '{}');
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--foreground-scripts', `node@${major}`], folder);
  const program = join(folder, 'node_modules/node/bin/node');
  return { program, version: run(program, ['--version'], folder).trim() };
}

const files = readdirSync(join(top, 'dist/test'), { recursive: true })
  .filter((name) => name.endsWith('.test.js') && !aboutTheMachine.test(name))
  .map((name) => join('dist/test', name));

const given = process.argv.slice(2);
// The release that runs this script has already run all tests.
const majors = given.length > 0 ? given : supported.filter((major) => !process.version.startsWith(`v${major}.`));
for (const major of majors) {
  const folder = mkdtempSync(join(tmpdir(), `node-${major}-`));
  try {
    const { program, version } = fetchNode(major, folder);
    const tests = run(program, ['--test', '--test-reporter=tap', '--test-concurrency=2', ...files], top);
    const passed = /^# pass (\d+)$/m.exec(tests)?.[1];
    const conformance = run(program, ['dist/test/support/conformance.js'], top).trim().split('\n').at(-1);
    console.log(`Node.js ${version}: ${passed} tests of ${files.length} files passed; conformance: ${conformance}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
