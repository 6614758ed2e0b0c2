// Makes a release from a clean checkout: `npm run release -- 0.2.0 [--out FOLDER] [bundle] [deb] [rpm]`. Writes version and date to
// package.json, the lock file and CHANGELOG.md, commits and tags them, and puts packages, an SBOM (CycloneDX), licences and checksums
// into `packages/`. Pushes and publishes nothing.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const top = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: join(top, 'packages') } },
  allowPositionals: true,
});
const [version = '', ...kinds] = positionals;
const out = resolve(values.out);
const output = (program, args) =>
  execFileSync(program, args, { cwd: top, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const run = (program, args) => execFileSync(program, args, { cwd: top, stdio: ['ignore', 'inherit', 'inherit'] });

function refuse(why) {
  console.error(why);
  process.exit(2);
}

const changelogFile = join(top, 'CHANGELOG.md');
const changelog = readFileSync(changelogFile, 'utf8');
const heading = '## Unreleased\n';
const order = (text) => text.split('.').reduce((sum, part) => sum * 100_000 + Number(part), 0);

/** Checks the conditions of a release before anything is written. */
function check() {
  const { version: last } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
  if (!/^\d+\.\d+\.\d+$/.test(version)) refuse('a release needs its version, such as 0.2.0');
  if (order(version) <= order(last)) refuse(`${version} is not above ${last}`);
  if (output('git', ['status', '--porcelain']) !== '') refuse('there are uncommitted changes');
  if (output('git', ['tag', '--list', `v${version}`]) !== '') refuse(`the tag v${version} already exists`);
  const [, unreleased = ''] = changelog.split(heading);
  if (unreleased.split('\n## ')[0].trim() === '') refuse('CHANGELOG.md has no entry under "Unreleased"');
}

/** The date of the release: today, or that of `SOURCE_DATE_EPOCH`. */
function today() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  return (epoch ? new Date(Number(epoch) * 1000) : new Date()).toISOString().slice(0, 10);
}

function commit() {
  writeFileSync(changelogFile, changelog.replace(heading, `## ${version} (${today()})\n`));
  const lock = join(top, 'package-lock.json');
  const { atime, mtime } = statSync(lock);
  run('npm', ['version', '--no-git-tag-version', '--ignore-scripts', version]);
  // Only the version changed: keep the time, so that nothing is installed again.
  utimesSync(lock, atime, mtime);
  run('git', ['add', 'CHANGELOG.md', 'package.json', 'package-lock.json']);
  run('git', ['commit', '--quiet', '-m', `release: ${version}`]);
  run('git', ['tag', '--annotate', `v${version}`, '-m', `filebeat-port-exporter ${version}`]);
}

/** The SBOM of the runtime dependencies. */
function writeSbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  writeFileSync(join(out, `filebeat-port-exporter-${version}.cdx.json`), output('npm', args));
}

/** Name, version and licence of every runtime dependency. The packages contain the texts too. */
function writeLicences() {
  const { packages } = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8'));
  const rows = Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version: release, license }]) => `${path.split('node_modules/').at(-1)}\t${release}\t${license}`);
  writeFileSync(
    join(out, `filebeat-port-exporter-${version}.licences.tsv`),
    `${[...new Set(rows)].sort().join('\n')}\n`,
  );
}

function writeChecksums() {
  const files = readdirSync(out).filter((name) => name.startsWith('filebeat-port-exporter') && name !== 'SHA256SUMS');
  const digest = (name) =>
    createHash('sha256')
      .update(readFileSync(join(out, name)))
      .digest('hex');
  writeFileSync(
    join(out, 'SHA256SUMS'),
    files
      .sort()
      .map((name) => `${digest(name)}  ${name}\n`)
      .join(''),
  );
}

check();
commit();
run(process.execPath, ['scripts/ready.mjs']);
mkdirSync(out, { recursive: true });
run(process.execPath, ['scripts/package.mjs', '--out', out, ...kinds]);
writeSbom();
writeLicences();
writeChecksums();
console.log(`v${version} is committed and tagged; publish it with: git push --follow-tags`);
