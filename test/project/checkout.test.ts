/** Everything works in a checkout whose path has spaces and characters with a meaning in URLs. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/live.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
const checkout = join(folder, 'my work, 100%20 done #1?');
after(() => rmSync(folder, { recursive: true, force: true }));

before(() => {
  mkdirSync(checkout);
  for (const part of ['package.json', 'package-lock.json', 'tsconfig.json', 'src', 'test', 'scripts', 'docs'])
    cpSync(join(top, part), join(checkout, part), { recursive: true });
  // A copy, not a link: an installation must not change the original.
  execFileSync('cp', ['-al', join(top, 'node_modules'), join(checkout, 'node_modules')]);
  for (const part of ['fixtures', 'examples']) symlinkSync(join(top, part), join(checkout, part));
  // Marks the packages as installed: otherwise the copied lock file is newer.
  utimesSync(join(checkout, 'package-lock.json'), 0, 0);
});

const npm = (...args: string[]) => spawnSync('npm', args, { cwd: checkout, encoding: 'utf8' });

describe('in a checkout whose path has spaces and per cent signs', () => {
  it('`npm run build` compiles', () => {
    const { status, stderr } = npm('run', '--silent', 'build');
    assert.equal(stderr, 'compiling …\n');
    assert.equal(status, 0);
  });

  it('`npm run check` scans', () => {
    const root = join(checkout, 'fixtures/healthy/root');
    const flags = ['--state.file=', `--path.rootfs=${root}`, `--path.procfs=${root}/proc`];
    const { status, stdout, stderr } = npm('run', '--silent', 'check', '--', ...flags);
    assert.equal(stderr, '');
    assert.match(stdout, /^OK - /);
    assert.equal(status, 0);
  });

  it('`npm start` serves, including its thread', async () => {
    const flags = ['--web.listen-address=127.0.0.1:0', '--state.file='];
    const child = spawn('npm', ['start', '--silent', '--', ...flags], { cwd: checkout, detached: true });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
    try {
      const url = await until('it listens', () => /address="?(http:[^\s"]+)/.exec(said)?.[1]);
      const answer = await fetch(new URL('/metrics', url));
      assert.match(await answer.text(), /^filebeat_port_exporter_scan_success 1$/m);
    } finally {
      process.kill(-child.pid!, 'SIGTERM');
      await new Promise((resolve) => child.once('close', resolve));
    }
  });

  it('`npm run package` builds a single file that runs', () => {
    const { status, stderr } = npm('run', '--silent', 'package', '--', '--out', 'packages', 'bundle');
    assert.equal(status, 0, stderr);
    const file = join(checkout, 'packages/filebeat-port-exporter.mjs');
    const said = spawnSync(process.execPath, [file, '--version'], { encoding: 'utf8' });
    assert.match(said.stdout, /^filebeat-port-exporter \d/, said.stderr);
  });

  it('tests find their files', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--test', 'dist/test/project/docs-reference.test.js'], {
      cwd: checkout,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
  });
});
