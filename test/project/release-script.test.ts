/** A release in a clone: commit, tag and files to publish, and refusals before anything is written. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsProgram } from '../support/needs.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'release-'));
const clone = join(folder, 'clone');
const out = join(folder, 'out');
after(() => rmSync(folder, { recursive: true, force: true }));

const env = {
  ...process.env,
  SOURCE_DATE_EPOCH: '1800000000',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'x'],
      [`GIT_${who}_EMAIL`, 'x@x'],
    ]),
  ),
};
const git = (...args: string[]) => execFileSync('git', ['-C', clone, ...args], { env, encoding: 'utf8' });
const release = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/release.mjs', '--out', out, ...args], { cwd: clone, env, encoding: 'utf8' });
const read = (file: string) => readFileSync(join(clone, file), 'utf8');

describe('a release', needsProgram('git'), () => {
  before(() => {
    // The present state, committed or not.
    const parts = ['.gitignore', 'package.json', 'package-lock.json', 'tsconfig.json', 'CHANGELOG.md', 'LICENSE'];
    for (const part of [...parts, 'src', 'test', 'scripts'])
      cpSync(join(top, part), join(clone, part), { recursive: true });
    writeFileSync(join(clone, '.gitignore'), 'node_modules\ndist/\n');
    // A copy, not a link: an installation must not change the original.
    execFileSync('cp', ['-al', join(top, 'node_modules'), join(clone, 'node_modules')]);
    utimesSync(join(clone, 'package-lock.json'), 0, 0);
    const unreleased = read('CHANGELOG.md').replace(
      /\n## (Unreleased\n[\s\S]*?\n## )?/,
      '\n## Unreleased\n\n- Something.\n\n## ',
    );
    writeFileSync(join(clone, 'CHANGELOG.md'), unreleased);
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '-m', 'all');
  });

  it('is refused with one sentence if a condition is not met', () => {
    const refused = (args: string[], about: RegExp) => {
      const { status, stderr } = release(...args);
      assert.match(stderr, about);
      assert.equal(stderr.trim().split('\n').length, 1);
      assert.equal(status, 2);
    };
    refused([], /needs its version/);
    refused(['1.0.0-rc.1'], /needs its version/);
    refused(['0.0.9'], /is not above/);
    git('tag', 'v99.0.0');
    refused(['99.0.0'], /tag v99\.0\.0 already/);
    writeFileSync(join(clone, 'LICENSE'), 'edited');
    refused(['99.0.1'], /uncommitted/);
    git('checkout', '--quiet', 'LICENSE');
    assert.equal(git('status', '--porcelain'), '', 'nothing was written');
  });

  it('has version and date everywhere, a commit, a tag, and packages with SBOM, licences and checksums', () => {
    const { status, stderr } = release('99.1.0', 'bundle');
    assert.equal(status, 0, stderr);
    for (const file of ['package.json', 'package-lock.json'])
      assert.equal((JSON.parse(read(file)) as { version: string }).version, '99.1.0');
    assert.match(read('CHANGELOG.md'), /^## 99\.1\.0 \(2027-01-15\)\n\n- Something\.$/m);
    assert.equal(git('log', '-1', '--format=%s').trim(), 'release: 99.1.0');
    assert.equal(git('describe', '--exact-match').trim(), 'v99.1.0');
    const base = 'filebeat-port-exporter';
    assert.deepEqual(readdirSync(out).sort(), [
      'SHA256SUMS',
      `${base}-99.1.0.cdx.json`,
      `${base}-99.1.0.licences.tsv`,
      `${base}.mjs`,
    ]);
    const said = spawnSync(process.execPath, [join(out, `${base}.mjs`), '--version'], { encoding: 'utf8' });
    assert.equal(said.stdout, `${base} 99.1.0\n`);
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
    const sbom = JSON.parse(readFileSync(join(out, `${base}-99.1.0.cdx.json`), 'utf8')) as {
      bomFormat: string;
      metadata: { component: { version: string } };
      components: { name: string }[];
    };
    assert.deepEqual([sbom.bomFormat, sbom.metadata.component.version], ['CycloneDX', '99.1.0']);
    const inside = sbom.components.map(({ name }) => name);
    const licences = readFileSync(join(out, `${base}-99.1.0.licences.tsv`), 'utf8');
    for (const name of Object.keys(dependencies!)) {
      assert.ok(inside.includes(name), name);
      assert.match(licences, new RegExp(`^${name}\t[\\d.]+\t[\\w.-]+$`, 'm'));
    }
    for (const name of Object.keys(devDependencies!)) assert.ok(!inside.includes(name), name);
    for (const line of readFileSync(join(out, 'SHA256SUMS'), 'utf8').trim().split('\n')) {
      const [sum, name] = line.split('  ');
      assert.equal(
        sum,
        createHash('sha256')
          .update(readFileSync(join(out, name!)))
          .digest('hex'),
      );
    }
    assert.equal(git('status', '--porcelain'), '');
  });
});
