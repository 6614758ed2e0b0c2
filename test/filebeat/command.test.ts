import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CommandLine, isCollector, readCommand } from '../../src/filebeat/config/command.js';
import type { ReleaseVersion } from '../../src/filebeat/releases/releases.js';
import { predicted, summary } from '../support/filebeat.js';

const old: ReleaseVersion = [8, 16, 0];
const middle: ReleaseVersion = [8, 17, 0];
const young: ReleaseVersion = [9, 6, 0];

/** `run`, or the other kind of result. */
function kind(args: string[], release: ReleaseVersion): string {
  const read = readCommand(['filebeat', ...args], release);
  if (read.kind === 'exits') return read.fault.code;
  return read.kind === 'other' ? `other ${read.subcommand}` : read.kind;
}

function line(args: string[], release: ReleaseVersion = young): CommandLine {
  const read = readCommand(['filebeat', ...args], release);
  assert.equal(read.kind, 'run');
  return (read as { line: CommandLine }).line;
}

describe('flags up to 8.16, from 8.17 to 9.5 and from 9.6', () => {
  const rows: [args: string[], old: string, middle: string, young: string][] = [
    [['-e', '-c', 'f'], 'run', 'run', 'run'],
    [['-c=f'], 'run', 'run', 'run'],
    [['--c', 'f', '--E', 'a=b'], 'run', 'run', 'run'],
    [['-E=a=b'], 'run', 'run', 'run'],
    [['-cf'], 'unknown-flag', 'unknown-flag', 'run'],
    [['-Ea=b'], 'unknown-flag', 'unknown-flag', 'run'],
    [['-ev'], 'unknown-flag', 'unknown-flag', 'run'],
    [['run', '-evcf'], 'unknown-flag', 'run', 'run'],
    [['-ec', 'f'], 'unknown-subcommand', 'unknown-flag', 'unknown-subcommand'],
    [['-path.config', '/x'], 'run', 'unknown-subcommand', 'unknown-subcommand'],
    [['-path.config=/x'], 'run', 'unknown-flag', 'unknown-flag'],
    [['-environment', 'systemd'], 'run', 'unknown-subcommand', 'unknown-subcommand'],
    [['--environment', 'systemd'], 'run', 'run', 'run'],
    [['--strict.perms=false'], 'run', 'run', 'run'],
    [['--strict.perms', 'false'], 'unknown-subcommand', 'unknown-subcommand', 'unknown-subcommand'],
    [['--strict.perms=maybe'], 'bad-flag-value', 'bad-flag-value', 'bad-flag-value'],
    [['--nosuch'], 'unknown-flag', 'unknown-flag', 'unknown-flag'],
    [['serve'], 'unknown-subcommand', 'unknown-subcommand', 'unknown-subcommand'],
    [['run', 'more', 'words'], 'run', 'run', 'run'],
    [['-c', 'a', 'b'], 'unknown-subcommand', 'unknown-subcommand', 'unknown-subcommand'],
    [['--', 'words'], 'run', 'run', 'run'],
    [['-c'], 'flag-without-value', 'flag-without-value', 'flag-without-value'],
    [['--hostname', 'x'], 'unknown-flag', 'unknown-flag', 'run'],
    [['--plugin', 'x'], 'run', 'run', 'unknown-flag'],
    [['test', 'config'], 'other test', 'other test', 'other test'],
    [['-e', 'version'], 'other version', 'other version', 'other version'],
    [['-d', 'test'], 'run', 'run', 'run'],
  ];
  for (const [args, ...expected] of rows) {
    test(args.join(' '), () => {
      assert.deepEqual([old, middle, young].map((release) => kind(args, release)).map(lenient), expected.map(lenient));
    });
  }

  /** The order of two reasons does not matter. */
  function lenient(result: string): string {
    return result === 'unknown-subcommand' || result === 'unknown-flag' ? 'refused' : result;
  }
});

describe('a command line', () => {
  test('files keep their order, duplicates are removed, a comma is part of the name', () => {
    assert.deepEqual(line(['-c', 'a', '-c', 'b,c', '-c', 'a']).configFiles, ['a', 'b,c']);
    assert.deepEqual(line([]).configFiles, ['filebeat.yml']);
  });
  test('path flags are overrides like -E, with literal values', () => {
    const { overrides, pathConfig, pathHome } = line(['-E', 'path.data=/a', '--path.data', '/b', '--path.config=/c']);
    assert.deepEqual(overrides, [
      { text: 'path.data=/a' },
      { text: 'path.data=/b', literal: true },
      { text: 'path.config=/c', literal: true },
    ]);
    assert.deepEqual([pathConfig, pathHome], ['/c', undefined]);
  });
  test('a value may look like a flag', () => assert.deepEqual(line(['-c', '-x']).configFiles, ['-x']));
  test('modules are a list', () => assert.deepEqual(line(['--modules', 'a,b']).modules, ['a', 'b']));
});

describe('command lines of processes that collect logs', () => {
  const rows: [argv: string[], is: boolean][] = [
    [['/usr/share/filebeat/bin/filebeat', '-c', 'test'], true],
    [['filebeat', 'run'], true],
    [['filebeat', 'test', 'config'], false],
    [['filebeat', '-E', 'a=b', 'export', 'config'], false],
    [['filebeat', '-path.home', '/x', 'setup'], false],
    [['filebeat', '--help'], false],
    [['filebeat', 'help'], false],
    [['agentbeat', 'filebeat', '-E', 'management.enabled=true'], true],
    [['agentbeat', 'filebeat', 'version'], false],
    [['filebeat', '--once', '-c', 'x.yml'], false],
    [['filebeat', '-once'], false],
    [['filebeat', '--once=false'], true],
    [['elastic-otel-collector', 'otel', '--config', 'x'], true],
  ];
  for (const [argv, is] of rows) test(argv.join(' '), () => assert.equal(isCollector(argv), is));
});

describe('the path of the main file', () => {
  const files = Object.fromEntries(
    [
      ['/etc/fb/m.yml', 1],
      ['/etc/fb/sub/m.yml', 2],
      ['/home/x/m.yml', 3],
    ].map(([path, port]) => [path, `filebeat.inputs: [{type: udp, host: ":${port}"}]\noutput.console: {}`]),
  );
  const rows: [fact: string, args: string[], expected: string][] = [
    ['in the current directory', ['-c', 'm.yml'], 'udp *:1'],
    ['below it', ['-c', './sub/../sub/m.yml'], 'udp *:2'],
    ['in --path.config, relative to the current directory', ['--path.config', 'sub', '-c', 'm.yml'], 'udp *:2'],
    ['in --path.home', ['--path.home', '/home/x', '-c', 'm.yml'], 'udp *:3'],
    [
      '--path.config comes before --path.home',
      ['--path.home', '/home/x', '--path.config', '/etc/fb', '-c', 'm.yml'],
      'udp *:1',
    ],
    ['-E path.config does not count', ['-E', 'path.config=/home/x', '-c', 'm.yml'], 'udp *:1'],
    ['an absolute path is used as it is', ['-c', '/home/x/m.yml'], 'udp *:3'],
    ['a missing file stops the start', ['-c', 'gone.yml'], 'exits: file-missing'],
    ['a folder stops the start', ['-c', 'sub'], 'exits: is-directory'],
  ];
  for (const [fact, args, expected] of rows) {
    // Path flags would move the second file of this test kit, too, so its path is absolute.
    test(fact, () =>
      assert.equal(
        summary(predicted({ files: { ...files, '/etc/fb/sub/output.yml': '', '/home/x/output.yml': '' }, args })),
        expected,
      ),
    );
  }
  test('a prediction names the main files', () => {
    const prediction = predicted({ files, args: ['-c', 'sub/../m.yml'] });
    assert.equal(prediction.mainFiles?.includes('/etc/fb/m.yml'), true);
  });
});

test('with --once no listener is expected', () => {
  assert.equal(summary(predicted({ main: 'filebeat.inputs: [{type: udp}]', args: ['--once'] })), 'exits: runs-once');
});

describe('overrides', () => {
  const main = 'filebeat.inputs: [{type: udp, host: "127.0.0.1:1"}]';
  const rows: [args: string[], expected: string, release?: string][] = [
    [['-E', 'filebeat.inputs.0.host=:2'], 'udp *:2'],
    [['-E', 'filebeat.inputs.0.host='], 'udp 127.0.0.1:1'],
    [['-E', 'filebeat.inputs.0.enabled'], 'udp 127.0.0.1:1'],
    [['-E', 'filebeat.inputs.0.enabled=off', '-E', 'filebeat.config.inputs.path=x'], 'nothing'],
    [['-E', 'filebeat.inputs.0.enabled=no'], 'udp 127.0.0.1:1'],
    [['-E', 'filebeat.inputs.0.host=[::1]:2'], 'exits: bad-override'],
    [['-E', 'filebeat.inputs.0.host="[::1]:2"'], 'udp ::1:2'],
    [['-E', 'filebeat.inputs=[{host: ":2"}]'], 'udp *:2'],
    [['-E', 'filebeat.inputs=[{}, {type: udp, host: ":2"}]'], 'udp 127.0.0.1:1, udp *:2'],
    [['-E', 'filebeat.inputs=null'], 'udp 127.0.0.1:1'],
    [['-E', 'filebeat.inputs.0.host=null'], 'udp 127.0.0.1:1', '7.8.0'],
    [['-E', 'filebeat.inputs.0.host=null'], 'exits: wrong-type', '8.10.5'],
    [['-E', 'filebeat.inputs.0.host=null'], 'udp 127.0.0.1:8080', '9.6.0'],
    [['-E', 'filebeat.inputs.0.host=null', '-E', 'filebeat.inputs.0.host=null'], 'exits: wrong-type', '9.6.0'],
    [['-E', 'filebeat.inputs.0.host=${P}'], 'udp *:5'],
    [['-E', 'filebeat.inputs.2000.type=udp'], 'udp 127.0.0.1:1', '8.19.21'],
    [['-E', 'filebeat.inputs.2000.type=udp'], 'exits: no-paths', '8.10.5'],
    [['-E', 'filebeat.inputs.0.host=:2', '-E', 'filebeat.inputs.0.host=:3'], 'udp *:3'],
  ];
  for (const [args, expected, release] of rows) {
    test(`${args.join(' ')}${release ? ` for ${release}` : ''}`, () => {
      assert.equal(summary(predicted({ main, args, env: { P: ':5' }, ...(release ? { release } : {}) })), expected);
    });
  }
});
