// Makes a checkout ready to run: installs dependencies and compiles if something changed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(top, ...parts);
const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function run(what, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: top, stdio: ['ignore', process.stderr, process.stderr] });
  if (status === 0) return;
  console.error(`${what} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

const newest = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .reduce((latest, entry) => Math.max(latest, mtime(join(entry.parentPath ?? entry.path, entry.name))), 0);

if (mtime(at('node_modules', '.package-lock.json')) < mtime(at('package-lock.json'))) {
  console.error('installing dependencies …');
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
}

const sources = Math.max(
  newest(at('src')),
  newest(at('test')),
  mtime(at('tsconfig.json')),
  mtime(at('package-lock.json')),
);
// A type check without output leaves a build record but no program.
if (!existsSync(at('dist', 'src', 'main.js')) || mtime(at('dist', '.tsbuildinfo')) < sources) {
  console.error('compiling …');
  rmSync(at('dist'), { recursive: true, force: true });
  run('the compiler', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', top]);
}
