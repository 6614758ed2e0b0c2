/** The program in a shell: exit codes, stdout, stderr and files that it writes. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandNames, flagTable } from '../../src/cli/flags.js';
import type { StatusDocument } from '../../src/exporter/json/status-json.js';
import { type Ended, mainFile, run, startExporter } from '../support/exporter.js';
import { until } from '../support/live.js';
import { needsRoot } from '../support/needs.js';
import { settle } from '../support/settle.js';
import { readScrape } from '../support/text-format.js';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** Flags that use a folder of fixtures as the host. */
function fixture(name: string): string[] {
  const path = fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
  settle(path);
  return [`--path.rootfs=${path}/root`, `--path.procfs=${path}/root/proc`, '--state.file='];
}

/** Exit code 2, one sentence on stderr, nothing on stdout. */
function assertRefused({ code, stdout, stderr }: Ended, about: RegExp, expected = 2) {
  assert.deepEqual([code, stdout], [expected, '']);
  assert.match(stderr, /^filebeat-port-exporter: [^\n]+\n$/);
  assert.match(stderr, about);
}

describe('an invalid argument', () => {
  const refused: [args: string[], about: RegExp][] = [
    [['--no-such-flag'], /--no-such-flag/],
    [['--scan.grace=soon'], /--scan\.grace/],
    [['--web.listen-address=nowhere'], /--web\.listen-address/],
    [['frobnicate'], /check, explain/],
    [['forget'], /name/],
    [['--config.file=/no/such/file'], /\/no\/such\/file/],
    [['--config.file', '--quiet'], /--config\.file/],
  ];
  for (const [args, about] of refused)
    it(`gives one sentence and exit code 2: ${args.join(' ')}`, async () => assertRefused(await run(args), about));

  it('gives exit code 3 in check, where 2 would be a fault of the host', async () => {
    const asked: [args: string[], about: RegExp][] = [
      [['check', '--scan.freshness=1s'], /--scan\.freshness/],
      [['check', '-w', '5'], /-w/],
      [['--no-such-flag', 'check'], /--no-such-flag/],
      [['check', '--config.file=/no/such/file'], /\/no\/such\/file/],
      [['check', 'core'], /takes no argument/],
    ];
    for (const [args, about] of asked) assertRefused(await run(args), about, 3);
  });

  it('names key and line in a settings file, but not the value', async () => {
    const settings = file('wrong.yml', 'discovery:\n  learn_after: hunter2\n');
    const { code, stderr } = await run(['check', `--config.file=${settings}`]);
    assert.equal(code, 3);
    assert.match(stderr, /wrong\.yml:2.*learn_after/);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  it('a port in use gives one sentence and exit code 1, because it may be free later', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      assertRefused(
        await run(['serve', `--web.listen-address=127.0.0.1:${port}`, '--state.file=']),
        new RegExp(`127\\.0\\.0\\.1:${port}`),
        1,
      );
    } finally {
      server.close();
    }
  });
});

describe('serve', () => {
  const noState = '--state.file=';

  it('exits with 1 if its address does not exist yet', async () => {
    for (const [address, about] of [
      ['192.0.2.77:0', /no such address/],
      ['[fe80::1%nosuch0]:0', /there is no interface nosuch0/],
    ] as const)
      assertRefused(await run(['serve', `--web.listen-address=${address}`, noState]), about, 1);
  });

  it('exits with 2 if the address has to be changed', async () => {
    for (const [address, about] of [
      ['[fe80::1]:0', /needs its interface/],
      [`unix:${folder}/no/such/folder/x.sock`, /no such folder/],
    ] as const)
      assertRefused(await run(['serve', `--web.listen-address=${address}`, noState]), about, 2);
  });

  it('treats an empty --web.config.file as none', async () => {
    const exporter = await startExporter(['--web.config.file=']);
    assert.equal((await exporter.get('/-/healthy')).status, 200);
    process.kill(exporter.pid, 'SIGKILL');
    await exporter.ended;
    rmSync(exporter.folder, { recursive: true, force: true });
  });
});

describe('check', () => {
  const cases: [situation: string, code: number, begins: string, more?: string[]][] = [
    ['healthy', 0, 'OK'],
    ['wildcard-dual-stack', 0, 'OK'],
    ['plain-ports', 0, 'OK'],
    ['ipv4-only', 1, 'WARNING'],
    ['port-taken', 2, 'CRITICAL'],
    ['port-missing', 2, 'CRITICAL'],
    ['instance-down', 2, 'CRITICAL'],
  ];
  for (const [situation, code, begins] of cases)
    it(`exits with ${code} in the situation ${situation}, in every output format`, async () => {
      const flags = fixture(situation);
      const [table, quiet, json] = await Promise.all([
        run(['check', ...flags]),
        run(['check', '--quiet', ...flags]),
        run(['check', '--json', ...flags]),
      ]);
      assert.deepEqual([table.code, quiet.code, json.code], [code, code, code]);
      assert.equal(table.stdout.split(' ')[0], begins);
      assert.equal(quiet.stdout, `${table.stdout.split('\n')[0]}\n`);
      const document = JSON.parse(json.stdout) as StatusDocument;
      assert.equal(document.usable, true);
      assert.deepEqual([table.stderr, quiet.stderr, json.stderr], ['', '', '']);
    });

  it('names the owner of a taken port, and the plain ports of the settings', async () => {
    const { stdout } = await run(['check', ...fixture('port-taken')]);
    assert.match(stdout, /pid 731 \(rsyslogd\)/);
    const settings = fileURLToPath(new URL('../../../fixtures/plain-ports/settings.yml', import.meta.url));
    const plain = await run(['check', ...fixture('plain-ports'), `--config.file=${settings}`]);
    assert.equal(plain.code, 2);
    assert.match(plain.stdout, /6985/);
  });

  it('exits with 3 if the scan fails', async () => {
    const flags = [`--path.procfs=${folder}/nothing`, `--path.rootfs=${folder}`, '--state.file='];
    for (const more of [[], ['--quiet'], ['--json']]) assert.equal((await run(['check', ...more, ...flags])).code, 3);
  });

  it('writes nothing, not even the state file', async () => {
    const state = join(folder, 'untouched', 'state.json');
    const [procfs, rootfs] = fixture('healthy');
    assert.equal((await run(['check', procfs!, rootfs!, `--state.file=${state}`])).code, 0);
    assert.ok(!existsSync(state));
  });

  it('has no colours in a pipe', async () => {
    const { stdout } = await run(['check', ...fixture('port-taken')], { env: { TERM: 'xterm-256color' } });
    assert.ok(!stdout.includes('\x1b'));
  });
});

describe('metrics', () => {
  it('prints the exposition once', async () => {
    const { code, stdout, stderr } = await run(['metrics', ...fixture('port-taken')]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(readScrape(stdout).value('filebeat_port_up', { port: '5514' }), 0);
  });

  it('writes to a device or FIFO without replacing it', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
    let read = '';
    reader.stdout.setEncoding('utf8').on('data', (text) => (read += text));
    const closed = new Promise((resolve) => reader.once('close', resolve));
    const { code, stderr } = await run(['metrics', `--output=${fifo}`, ...fixture('healthy')]);
    assert.deepEqual([code, stderr], [0, '']);
    await closed;
    assert.equal(readScrape(read).value('filebeat_instance_healthy'), 1);
    assert.ok(statSync(fifo).isFIFO());
    assert.equal((await run(['metrics', '--output=/dev/null', ...fixture('healthy')])).code, 0);
    assert.ok(statSync('/dev/null').isCharacterDevice());
  });

  it('writes to its own stdout by any of its names', async () => {
    for (const name of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']) {
      const { code, stdout } = await run(['metrics', `--output=${name}`, ...fixture('healthy')]);
      assert.equal(code, 0);
      assert.equal(readScrape(stdout).value('filebeat_instance_healthy'), 1, name);
    }
  });

  it('follows links, also to a missing file, and does not replace them', async () => {
    const deep = join(folder, 'deep');
    mkdirSync(deep);
    symlinkSync('deep/beats.prom', join(folder, 'first.prom'));
    symlinkSync('first.prom', join(folder, 'second.prom'));
    for (let i = 0; i < 2; i++) {
      assert.equal((await run(['metrics', `--output=${folder}/second.prom`, ...fixture('healthy')])).code, 0);
      assert.deepEqual(readdirSync(deep), ['beats.prom']);
      for (const link of ['first.prom', 'second.prom']) assert.ok(lstatSync(join(folder, link)).isSymbolicLink());
    }
    assert.equal(readScrape(readFileSync(join(deep, 'beats.prom'), 'utf8')).value('filebeat_instance_healthy'), 1);
  });

  it('refuses a target that it cannot or must not write to, with one sentence', async () => {
    symlinkSync('round', join(folder, 'round'));
    const refusals: [path: string, about: RegExp][] = [
      [folder, /is a folder/],
      [`${folder}/no/such/file`, /cannot be written \(ENOENT\)/],
      [`${folder}/round`, /too many symbolic links/],
    ];
    for (const [path, about] of refusals)
      assertRefused(await run(['metrics', `--output=${path}`, ...fixture('healthy')]), about);
  });

  it('follows no link and writes to no FIFO that another user made in a world-writable folder', needsRoot, async () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o1777);
    const mine = file('mine', 'before\n');
    symlinkSync(mine, join(open, 'link.prom'));
    execFileSync('mkfifo', [join(open, 'fifo.prom')]);
    for (const name of ['link.prom', 'fifo.prom']) {
      lchownSync(join(open, name), 4242, 4242);
      const path = join(open, name);
      assertRefused(await run(['metrics', `--output=${path}`, ...fixture('healthy')]), /another user made/);
    }
    assert.equal(readFileSync(mine, 'utf8'), 'before\n');
  });

  it('writes even if files have the names of earlier temporary files', async () => {
    const path = join(mkdtempSync(join(folder, 'busy-')), 'beats.prom');
    for (let pid = process.pid; pid < process.pid + 400; pid++) mkdirSync(`${path}.${pid}.tmp`);
    assert.equal((await run(['metrics', `--output=${path}`, ...fixture('healthy')])).code, 0);
    assert.ok(statSync(path).isFile());
  });

  it('writes a file by a rename, so that no reader sees a part of it', async () => {
    const target = file('beats.prom', 'before\n');
    linkSync(target, join(folder, 'old'));
    const { code, stdout } = await run(['metrics', `--output=${target}`, ...fixture('healthy')]);
    assert.deepEqual([code, stdout], [0, '']);
    assert.equal(readScrape(readFileSync(target, 'utf8')).value('filebeat_instance_healthy'), 1);
    // The old file is unchanged: it was replaced, not overwritten.
    assert.equal(readFileSync(join(folder, 'old'), 'utf8'), 'before\n');
    assert.equal(statSync(target).mode & 0o444, 0o444);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('.tmp')),
      [],
    );
  });

  it('names the file that it cannot write, in one sentence', async () => {
    assertRefused(
      await run(['metrics', '--output=/no/such/folder/x.prom', ...fixture('healthy')]),
      /\/no\/such\/folder/,
    );
  });

  it('exits with 3 and writes nothing if the scan fails', async () => {
    const target = join(folder, 'never.prom');
    const flags = [`--path.procfs=${folder}/nothing`, `--path.rootfs=${folder}`, '--state.file='];
    const { code, stdout } = await run(['metrics', `--output=${target}`, ...flags]);
    assert.deepEqual([code, stdout, existsSync(target)], [3, '', false]);
  });
});

describe('help and version', () => {
  it('go to stdout, and every flag is in the help', async () => {
    const [help, version, ...each] = await Promise.all([
      run(['--help']),
      run(['--version']),
      ...commandNames.map((command) => run([command, '--help'])),
    ]);
    assert.deepEqual([help.code, help.stderr, version.code, version.stderr], [0, '', 0, '']);
    for (const flag of Object.keys(flagTable)) assert.ok(help.stdout.includes(`--${flag}`), flag);
    assert.match(version.stdout, /^filebeat-port-exporter \d+\.\d+\.\d+\S*\n$/);
    for (const [at, one] of each.entries()) {
      assert.equal(one.code, 0);
      assert.ok(one.stdout.includes(commandNames[at]!));
    }
  });

  it('a reader that closes the pipe early is not an error', async () => {
    const cases: [args: string[], code: number][] = [
      [['--help'], 0],
      [['metrics', ...fixture('healthy')], 0],
      [['check', '--json', ...fixture('healthy')], 0],
      [['check', ...fixture('port-taken')], 2],
    ];
    for (const [args, expected] of cases) {
      const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.destroy();
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
      const code = await new Promise((resolve) => child.once('close', resolve));
      assert.deepEqual([code, stderr], [expected, ''], args.join(' '));
    }
  });
});

describe('serve', () => {
  it('serves a folder as a host, from any directory and through a link to the program', async () => {
    const link = join(folder, 'filebeat-port-exporter');
    symlinkSync(mainFile, link);
    const child = spawn(process.execPath, [link, '--web.listen-address=127.0.0.1:0', ...fixture('port-taken')], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
      const url = await until('it listens', () => /address="?(http:[^\s"]+)/.exec(log)?.[1]);
      const text = await (await fetch(url, { headers: { Accept: 'text/html' } })).text();
      assert.ok(text.includes('rsyslogd') && text.includes('5514'));
      const metrics = await (await fetch(new URL('/metrics', url))).text();
      assert.equal(readScrape(metrics).value('filebeat_port_up', { port: '5514' }), 0);
    } finally {
      child.kill('SIGINT');
    }
    assert.equal(await ended, 0);
  });

  it('goes on if its log can no longer be written', async () => {
    const settings = file('loud.yml', 'ports: [6984]\n');
    const flags = [`--config.file=${settings}`, '--web.listen-address=127.0.0.1:0', ...fixture('plain-ports')];
    const child = spawn(process.execPath, [mainFile, ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
    const url = await until('it listens', () => /address="?(http:[^\s"]+)/.exec(log)?.[1]);
    child.stderr.destroy();
    // Writes a log line, with an effect that shows that it was written.
    file('loud.yml', 'ports: [514, 6984]\n');
    child.kill('SIGHUP');
    await until('the new port', async () => {
      const text = await (await fetch(new URL('/metrics', url))).text();
      return readScrape(text).all('filebeat_static_port_up').length === 2;
    });
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  });

  it('keeps its settings when SIGHUP finds invalid ones, and takes valid ones', async () => {
    const settings = file('live.yml', 'ports: [6984]\n');
    const exporter = await startExporter([`--config.file=${settings}`, ...fixture('plain-ports')]);
    try {
      const ports = async () =>
        (await exporter.scrape()).all('filebeat_static_port_up').map(({ labels }) => labels.get('port'));
      assert.deepEqual(await ports(), ['6984']);
      file('live.yml', 'ports: [sixty]\n');
      process.kill(exporter.pid, 'SIGHUP');
      await until('the log says so', () => exporter.log().includes('settings not reloaded'));
      assert.deepEqual(await ports(), ['6984']);
      file('live.yml', 'ports: [514, 6984]\n');
      process.kill(exporter.pid, 'SIGHUP');
      await until('both ports', async () => (await ports()).length === 2);
    } finally {
      await exporter.stop();
    }
  });

  it('is at the path in package.json', () => {
    const top = new URL('../../../', import.meta.url);
    const { bin, scripts } = JSON.parse(readFileSync(new URL('package.json', top), 'utf8')) as {
      bin: Record<string, string>;
      scripts: Record<string, string>;
    };
    const built = mainFile.slice(0, -'src/main.js'.length);
    const named = [
      ...Object.values(bin),
      ...Object.values(scripts).flatMap((line) => line.match(/dist\/\S+\.js/g) ?? []),
    ];
    assert.ok(named.length >= 5);
    for (const path of named) assert.ok(existsSync(path.replace(/^dist\//, built)), path);
    assert.match(readFileSync(mainFile, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });
});
