/** The packages: content, installation, first run and complete removal. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hashSync } from 'bcryptjs';
import { until } from '../support/live.js';
import { needs, needsProgram } from '../support/needs.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'packages-'));
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { version: string };
const name = 'filebeat-port-exporter';
const single = join(folder, `${name}.mjs`);
const deb = join(folder, `${name}_${version}_all.deb`);
const rpm = join(folder, `${name}-${version}-1.noarch.rpm`);
after(() => rmSync(folder, { recursive: true, force: true }));

// A commit between two builds would make them differ.
const env = { ...process.env, SOURCE_DATE_EPOCH: '1790000000' };
const say = (program: string, ...args: string[]) =>
  execFileSync(program, args, { env, encoding: 'utf8', stdio: 'pipe' });
/** Without network, if this process may remove it. */
const offline =
  process.env['CI'] || spawnSync('unshare', ['--net', 'true']).status === 0 ? ['unshare', '--net'] : ['env'];
const make = (out: string, ...kinds: string[]) =>
  say(offline[0]!, ...offline.slice(1), process.execPath, join(top, 'scripts/package.mjs'), '--out', out, ...kinds);
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('npm pack', () => {
  const files = (
    JSON.parse(say('npm', 'pack', '--dry-run', '--json', '--ignore-scripts', top)) as {
      files: { path: string }[];
    }[]
  )[0]!.files.map(({ path }) => path);

  it('contains program, documents and examples, and nothing that only a checkout needs', () => {
    for (const path of [
      'dist/src/main.js',
      'README.md',
      'README.zh-CN.md',
      'CHANGELOG.md',
      'LICENSE',
      'docs/metrics.md',
    ])
      assert.ok(files.includes(path), path);
    const strange = files.filter(
      (path) =>
        !/^(package\.json|[A-Z][\w.-]*|dist\/src\/.+\.js|docs\/[\w-]+(?:\.zh-CN)?\.md|examples\/.+)$/.test(path),
    );
    assert.deepEqual(strange, []);
    const ofTests = /(?:^|\/)(?:test|fixtures)\/|\.test\.js$/;
    assert.deepEqual(
      files.filter((path) => ofTests.test(path)),
      [],
    );
  });
});

/** It scans and checks passwords, each in a thread of its own. */
async function serves(program: string): Promise<void> {
  const config = join(folder, 'web.yml');
  writeFileSync(config, `basic_auth_users:\n  prometheus: ${hashSync('open sesame', 4)}\n`);
  const flags = ['--web.listen-address=127.0.0.1:0', '--state.file=', `--web.config.file=${config}`];
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  try {
    const url = await until('it listens', () => /address="?(http:[^\s"]+)/.exec(said)?.[1]);
    const ask = (password: string) =>
      fetch(new URL('/metrics', url), {
        headers: { Authorization: `Basic ${Buffer.from(`prometheus:${password}`).toString('base64')}` },
      });
    assert.equal((await ask('wrong')).status, 401);
    const right = await ask('open sesame');
    assert.equal(right.status, 200);
    assert.match(await right.text(), /^filebeat_port_exporter_scan_success 1$/m);
  } finally {
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
  }
  assert.deepEqual(
    lines(said).filter((line) => !/level=info|without tls_server_config/.test(line)),
    [],
  );
}

describe('the single file', () => {
  before(() => void make(folder, 'bundle'));

  it('runs alone in a folder and prints its version', () => {
    const alone = mkdtempSync(join(folder, 'alone-'));
    copyFileSync(single, join(alone, 'x.mjs'));
    const { stdout, stderr } = spawnSync(process.execPath, ['x.mjs', '--version'], { cwd: alone, encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(stdout, `${name} ${version}\n`);
    assert.ok((statSync(single).mode & 0o111) !== 0);
  });

  it('serves, with its threads for scans and passwords inside', () => serves(single));
});

/** A copy-on-write root of this system; its changes are gone with the namespace. */
function inCleanRoot(script: string): string {
  const overlay = `set -e
mount -t tmpfs tmpfs ${folder}/mnt
cd ${folder}/mnt && mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work root
mount -t proc proc root/proc
mkdir -p root/run/shm && cp ${deb} root/tmp/package.deb
exec chroot root sh -c "$1"`;
  mkdirSync(join(folder, 'mnt'), { recursive: true });
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', '--pid', '--fork', '--net', 'sh', '-c', overlay, 'sh', `set -e\nexport LC_ALL=C\n${script}`],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

const overlays = spawnSync('unshare', [
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && mount -t overlay o -o lowerdir=/,upperdir=$PWD/u,workdir=$PWD/w r',
]);
const mountsOverlays = needs('root, and leave to mount', () => overlays.status === 0);

describe('the .deb', needsProgram('dpkg-deb'), () => {
  before(() => void make(folder, 'deb'));

  it('is reproducible byte for byte', () => {
    make(join(folder, 'again'), 'deb');
    const again = readFileSync(join(folder, 'again', `${name}_${version}_all.deb`));
    assert.ok(again.equals(readFileSync(deb)));
  });

  it('belongs to root, depends on Node.js 20, and names the licences of its content', () => {
    const content = lines(say('dpkg-deb', '--contents', deb));
    for (const line of content)
      assert.match(line, /^[-dl]r[w-]xr-xr-x root\/root |^-rw-r--r-- root\/root |^lrwxrwxrwx root\/root /);
    assert.match(say('dpkg-deb', '--field', deb, 'Depends'), /nodejs \(>= 20\)/);
    const tree = join(folder, 'deb');
    say('dpkg-deb', '--extract', deb, tree);
    const copyright = readFileSync(join(tree, 'usr/share/doc', name, 'copyright'), 'utf8');
    for (const path of ['README.md', 'docs/mismatches.md', `examples/prometheus/${name}.rules.yml`])
      assert.ok(existsSync(join(tree, 'usr/share/doc', name, path)), path);
    const { dependencies } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { dependencies: object };
    for (const one of Object.keys(dependencies)) assert.match(copyright, new RegExp(`^${one} \\d`, 'm'), one);
  });

  it('serves from a folder in which each thread finds its part', async () => {
    const tree = join(folder, 'parts');
    say('dpkg-deb', '--extract', deb, tree);
    await serves(join(tree, 'usr/bin', name));
    // Code of another part would be compiled and kept for nothing.
    const thread = readFileSync(join(tree, 'usr/lib', name, 'worker.mjs'), 'utf8');
    assert.doesNotMatch(thread, /\bfrom ?"\.|import ?\("\./);
    assert.match(thread, /^[\0-\x7f]+$/, 'one character of another alphabet doubles the memory of the text');
  });

  it('has a valid systemd unit', needsProgram('systemd-analyze'), () => {
    const tree = join(folder, 'unit');
    say('dpkg-deb', '--extract', deb, tree);
    const unit = readFileSync(join(tree, `lib/systemd/system/${name}.service`), 'utf8');
    assert.match(unit, new RegExp(`^ExecStart=/usr/bin/env node( --[\\w=-]+)+ /usr/bin/${name} serve \\$ARGS$`, 'm'));
    assert.match(unit, new RegExp(`^EnvironmentFile=-/etc/default/${name}$`, 'm'));
    // Only that tree has the program at the unit's path.
    const here = join(tree, `${name}.service`);
    writeFileSync(here, unit.replace(` /usr/bin/${name} `, ` ${tree}/usr/bin/${name} `));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', here], { encoding: 'utf8' });
    assert.equal(
      stderr
        .split('\n')
        .filter((line) => line.includes(name))
        .join('\n'),
      '',
    );
    assert.equal(status, 0);
  });

  it(
    'installs user, unit and flags, runs, keeps an edited file on removal, and leaves nothing after a purge',
    mountsOverlays,
    () => {
      const said = inCleanRoot(`
      dpkg-query -W -f='\${Version}' nodejs >/dev/null 2>&1 || force=--force-depends
      dpkg $force -i /tmp/package.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
      echo "user $(getent passwd ${name} | cut -d: -f6,7)"
      echo "status $(dpkg-query -W -f='\${Status}' ${name})"
      test -f /lib/systemd/system/${name}.service
      ! test -x /usr/bin/deb-systemd-helper || echo "enabled $(readlink /etc/systemd/system/multi-user.target.wants/${name}.service)"
      dpkg --verify ${name}
      cd /; ${name} --version
      mkdir -p /var/lib/${name}; chown ${name}: /var/lib/${name}
      setpriv --reuid ${name} --regid ${name} --clear-groups ${name} metrics | grep ^filebeat_port_exporter_scan_success
      MANPAGER=cat man -l /usr/share/man/man8/${name}.8.gz | grep -c web.listen-address
      bash -c '. /usr/share/bash-completion/completions/${name}; complete -p ${name}'
      echo 'ARGS="--log.level=debug"' >/etc/default/${name}
      dpkg -i /tmp/package.deb >/dev/null 2>&1
      echo "kept $(cat /etc/default/${name})"
      dpkg -r ${name} >/dev/null
      test -e /etc/default/${name}; ! test -e /usr/bin/${name}; getent passwd ${name} >/dev/null
      dpkg -P ${name} >/dev/null 2>&1
      for left in /etc/default/${name} /var/lib/${name} /usr/lib/${name} /usr/share/doc/${name} /lib/systemd/system/${name}.service; do
        ! test -e $left || { echo "left $left"; exit 1; }
      done
      ! getent passwd ${name}; ! getent group ${name}
      find /etc/systemd /var/lib/systemd /var/lib/dpkg/info -name '*${name}*' | grep . && exit 1
      echo purged`);
      const told = lines(said);
      assert.ok(told.includes(`user /var/lib/${name}:/usr/sbin/nologin`), said);
      assert.ok(told.includes('status install ok installed'), said);
      const enabled = told.find((line) => line.startsWith('enabled '));
      assert.equal(
        enabled ?? `enabled /lib/systemd/system/${name}.service`,
        `enabled /lib/systemd/system/${name}.service`,
      );
      assert.ok(told.includes(`${name} ${version}`), said);
      assert.ok(told.includes('filebeat_port_exporter_scan_success 1'), said);
      assert.ok(told.includes('kept ARGS="--log.level=debug"'), said);
      assert.equal(told.at(-1), 'purged', said);
      assert.ok(!existsSync(`/usr/bin/${name}`), 'nothing of it reached this system');
    },
  );
});

describe('on a machine without rpmbuild', needsProgram('dpkg-deb'), () => {
  const bin = join(folder, 'bin');
  const elsewhere = join(folder, 'elsewhere');
  before(() => {
    mkdirSync(bin);
    for (const tool of ['dpkg-deb', 'tar', 'rm', 'xz'])
      symlinkSync(say('sh', '-c', `command -v ${tool}`).trim(), join(bin, tool));
  });
  const makeHere = (...kinds: string[]) =>
    spawnSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', elsewhere, ...kinds], {
      env: { ...env, PATH: bin },
      encoding: 'utf8',
    });

  it('the other packages are built, and one sentence names the missing one', () => {
    const { status, stdout, stderr } = makeHere();
    assert.equal(stderr, 'skipped .rpm: rpmbuild is not installed\n');
    assert.deepEqual(lines(stdout), [join(elsewhere, `${name}.mjs`), join(elsewhere, `${name}_${version}_all.deb`)]);
    assert.equal(status, 0);
  });

  it('a requested .rpm fails, and the others are built', () => {
    rmSync(elsewhere, { recursive: true });
    const { status, stdout, stderr } = makeHere('rpm', 'bundle');
    assert.equal(stderr, 'skipped .rpm: rpmbuild is not installed\n');
    assert.deepEqual(lines(stdout), [join(elsewhere, `${name}.mjs`)]);
    assert.equal(status, 1);
  });
});

describe('the .rpm', needsProgram('rpmbuild'), () => {
  before(() => void make(folder, 'rpm'));

  it('has the content of the .deb at the paths of such systems, and depends on Node.js 20', () => {
    const files = lines(say('rpm', '-qlp', rpm));
    for (const path of [
      `/usr/bin/${name}`,
      `/usr/lib/systemd/system/${name}.service`,
      `/usr/share/man/man8/${name}.8.gz`,
      `/usr/share/zsh/site-functions/_${name}`,
    ])
      assert.ok(files.includes(path), path);
    assert.match(say('rpm', '-qp', '--requires', rpm), /^nodejs >= 20$/m);
    assert.equal(say('rpm', '-qp', '--configfiles', rpm).trim(), `/etc/default/${name}`);
    assert.match(say('rpm', '-qp', '--scripts', rpm), /useradd --system/);
    assert.match(say('rpm', '-qp', '--queryformat', '%{ARCH} %{LICENSE}', rpm), /^noarch Apache-2\.0$/);
  });

  it('installs into an empty root and runs from there', () => {
    const root = join(folder, 'root');
    mkdirSync(root);
    say('rpm', '--root', root, '--initdb');
    say('rpm', '--root', root, '--nodeps', '--noscripts', '-i', rpm);
    assert.equal(say('rpm', '--root', root, '-qa').trim(), `${name}-${version}-1.noarch`);
    assert.equal(say('rpm', '--root', root, '--nodeps', '-V', name).trim(), '');
    assert.equal(say(process.execPath, join(root, 'usr/bin', name), '--version'), `${name} ${version}\n`);
    say('rpm', '--root', root, '--noscripts', '-e', name);
    assert.ok(!existsSync(join(root, 'usr/bin', name)));
  });
});
