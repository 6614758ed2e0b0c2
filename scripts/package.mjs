// Builds the packages from this tree, without network: `node scripts/package.mjs [--out FOLDER] [bundle] [deb] [rpm]`.
// A .deb needs dpkg-deb, an .rpm needs rpmbuild (Debian: package rpm). Without a name: all that this machine can build.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { bashCompletion, zshCompletion } from '../dist/src/cli/reference/completion.js';
import { manPage } from '../dist/src/cli/reference/man-page.js';
import { bundle, bundleFolder, licences } from './bundle.mjs';

const name = 'filebeat-port-exporter';
const top = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFileSync(join(top, path), 'utf8');
const { version } = JSON.parse(read('package.json'));

/** Builds are reproducible: files have the time of the last commit, or of `SOURCE_DATE_EPOCH`. */
function epoch() {
  if (process.env.SOURCE_DATE_EPOCH) return process.env.SOURCE_DATE_EPOCH;
  try {
    return execFileSync('git', ['-C', top, 'log', '-1', '--format=%ct'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return String(Math.floor(Date.now() / 1000)); // Not a checkout.
  }
}
const env = { ...process.env, SOURCE_DATE_EPOCH: epoch() };
const run = (program, args) => execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });

/** The example's unit for a package: with the path of the installed program, flags from a file, and no comments about manual installation. */
function unit() {
  const text = read(`examples/systemd/${name}.service`);
  const line = /^# Flags go at the end.*\n((?:#.*\n)+)ExecStart=.* node (.*?) "\$\$\(command.*$/m;
  const header = /^(#.*\n)+(?=\[Unit\])/;
  if (!line.test(text) || !header.test(text)) throw new Error('the example unit does not have the expected lines');
  return text
    .replace(header, '')
    .replace(
      line,
      (_, comment, flags) =>
        `EnvironmentFile=-/etc/default/${name}\n${comment}ExecStart=/usr/bin/env node ${flags} /usr/bin/${name} serve $ARGS`,
    );
}

/** The example's socket unit without its line about manual installation. */
function socketUnit() {
  const text = read(`examples/systemd/${name}.socket`);
  const line = /^# {3}install .*\n/m;
  if (!line.test(text)) throw new Error('the example socket does not have the expected lines');
  return text.replace(line, '');
}

/** Writes all installed files below `root`. `units`, `zsh`: folders that differ between Debian and RPM. */
async function tree(root, { units, zsh }) {
  const write = (path, data, mode = 0o644) => {
    mkdirSync(join(root, dirname(path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(root, path), data);
    chmodSync(join(root, path), mode);
  };
  await bundleFolder(join(root, `usr/lib/${name}`), name);
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  symlinkSync(`../lib/${name}/${name}.mjs`, join(root, 'usr/bin', name));
  write(`etc/default/${name}`, read('packaging/default'));
  write(`${units}/${name}.service`, unit());
  write(`${units}/${name}.socket`, socketUnit());
  write(`usr/share/bash-completion/completions/${name}`, bashCompletion());
  write(`${zsh}/_${name}`, zshCompletion());
  const date = new Date(Number(env.SOURCE_DATE_EPOCH) * 1000).toISOString().slice(0, 10);
  write(`usr/share/man/man8/${name}.8.gz`, gzipSync(manPage(version, date), { level: 9 }));
  const doc = `usr/share/doc/${name}`;
  write(
    `${doc}/copyright`,
    [`${name} ${version}: Apache-2.0\n\n${read('LICENSE').trim()}\n`, ...licences()].join('\n---\n\n'),
  );
  for (const file of ['README.md', 'README.zh-CN.md']) write(`${doc}/${file}`, read(file));
  write(`${doc}/changelog.gz`, gzipSync(read('CHANGELOG.md'), { level: 9 }));
  for (const file of readdirSync(join(top, 'docs')).filter((one) => one.endsWith('.md')))
    write(`${doc}/docs/${file}`, read(`docs/${file}`));
  cpSync(join(top, 'examples'), join(root, doc, 'examples'), { recursive: true });
}

/** Total size of all files below `root` in bytes. */
function sizeOf(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, entry) => sum + readFileSync(join(entry.parentPath ?? entry.path, entry.name)).length, 0);
}

async function deb(work, out) {
  const root = join(work, 'deb');
  await tree(root, { units: 'lib/systemd/system', zsh: 'usr/share/zsh/vendor-completions' });
  mkdirSync(join(root, 'DEBIAN'));
  const size = String(Math.ceil(sizeOf(root) / 1024));
  const control = read('packaging/debian/control').replace('@VERSION@', version).replace('@SIZE@', size);
  writeFileSync(join(root, 'DEBIAN/control'), control);
  for (const file of ['conffiles', 'postinst', 'prerm', 'postrm']) {
    writeFileSync(join(root, 'DEBIAN', file), read(`packaging/debian/${file}`));
    chmodSync(join(root, 'DEBIAN', file), file === 'conffiles' ? 0o644 : 0o755);
  }
  const file = join(out, `${name}_${version}_all.deb`);
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file]);
  return file;
}

async function rpm(work, out) {
  const root = join(work, 'rpm');
  await tree(root, { units: 'usr/lib/systemd/system', zsh: 'usr/share/zsh/site-functions' });
  const spec = join(work, `${name}.spec`);
  writeFileSync(spec, read(`packaging/rpm/${name}.spec`).replaceAll('@VERSION@', version).replaceAll('@TREE@', root));
  const macros = [
    `_topdir ${join(work, 'rpmbuild')}`,
    `_rpmdir ${out}`,
    '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm',
  ];
  const reproducible = [
    'use_source_date_epoch_as_buildtime 1',
    'clamp_mtime_to_source_date_epoch 1',
    '_buildhost localhost',
  ];
  const defines = [...macros, ...reproducible].flatMap((macro) => ['--define', macro]);
  run('rpmbuild', ['-bb', '--quiet', '--target', 'noarch', ...defines, spec]);
  return join(out, `${name}-${version}-1.noarch.rpm`);
}

async function single(_work, out) {
  const file = join(out, `${name}.mjs`);
  await bundle(file);
  return file;
}

const kinds = { bundle: single, deb, rpm };
/** The tool that each kind needs besides Node.js. */
const tools = { deb: 'dpkg-deb', rpm: 'rpmbuild' };
const lacks = (kind) =>
  tools[kind] !== undefined && spawnSync(tools[kind], ['--version'], { stdio: 'ignore' }).error !== undefined;
const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: 'packages' } },
  allowPositionals: true,
});
const unknown = positionals.find((kind) => !Object.hasOwn(kinds, kind));
if (unknown !== undefined) {
  console.error(`unknown package ${unknown}; there are ${Object.keys(kinds).join(', ')}`);
  process.exit(2);
}
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const work = mkdtempSync(join(tmpdir(), 'package-'));
process.umask(0o022);
try {
  for (const kind of positionals.length > 0 ? positionals : Object.keys(kinds)) {
    if (lacks(kind)) {
      console.error(`skipped .${kind}: ${tools[kind]} is not installed`);
      // A package that was requested by name must not be skipped.
      if (positionals.length > 0) process.exitCode = 1;
    } else console.log(await kinds[kind](work, out));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
