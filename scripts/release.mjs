// Makes a release from a clean checkout: `npm run release -- 0.2.0 [--out FOLDER] [bundle] [deb] [rpm]`. Writes version and date into
// package.json, its lock and CHANGELOG.md, commits and tags that, and leaves in `packages/` what is to be published: the packages, an
// SBOM (CycloneDX), the licences of what is inside, and checksums. Nothing is pushed and nothing published.
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
const say = (program, args) =>
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

/** Before anything is written. */
function check() {
  const { version: last } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));
  if (!/^\d+\.\d+\.\d+$/.test(version)) refuse('a release needs its version, such as 0.2.0');
  if (order(version) <= order(last)) refuse(`${version} is not above ${last}`);
  if (say('git', ['status', '--porcelain']) !== '') refuse('there are changes that are not committed');
  if (say('git', ['tag', '--list', `v${version}`]) !== '') refuse(`there is a tag v${version} already`);
  const [, told = ''] = changelog.split(heading);
  if (told.split('\n## ')[0].trim() === '') refuse('CHANGELOG.md says nothing under "Unreleased"');
}

/** The day of the release, or the one that `SOURCE_DATE_EPOCH` says. */
function today() {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  return (epoch ? new Date(Number(epoch) * 1000) : new Date()).toISOString().slice(0, 10);
}

function commit() {
  writeFileSync(changelogFile, changelog.replace(heading, `## ${version} (${today()})\n`));
  const lock = join(top, 'package-lock.json');
  const { atime, mtime } = statSync(lock);
  run('npm', ['version', '--no-git-tag-version', '--ignore-scripts', version]);
  // Its packages are the same: none has to be installed anew.
  utimesSync(lock, atime, mtime);
  run('git', ['add', 'CHANGELOG.md', 'package.json', 'package-lock.json']);
  run('git', ['commit', '--quiet', '-m', `release: ${version}`]);
  run('git', ['tag', '--annotate', `v${version}`, '-m', `filebeat-port-exporter ${version}`]);
}

/** What runs, without what only building and testing needs. */
function writeSbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  writeFileSync(join(out, `filebeat-port-exporter-${version}.cdx.json`), say('npm', args));
}

/** Name, release and licence of every package that the program brings; the packages have the texts too. */
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
console.log(`v${version} is committed and tagged here; publish it with: git push --follow-tags`);
