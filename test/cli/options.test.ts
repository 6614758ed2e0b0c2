import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandNames, type FlagName, flagTable } from '../../src/cli/flags.js';
import { helpText, type Options, parseOptions } from '../../src/cli/options.js';
import { parseDuration } from '../../src/settings/duration.js';
import { listenLabel } from '../../src/web/listen-address.js';

function run(...argv: string[]): Options {
  const parsed = parseOptions(argv, {});
  assert.equal(parsed.kind, 'run', parsed.kind === 'refused' ? parsed.message : '');
  return (parsed as { options: Options }).options;
}

function refused(...argv: string[]): string {
  const parsed = parseOptions(argv, {});
  assert.equal(parsed.kind, 'refused', argv.join(' '));
  return (parsed as { message: string }).message;
}

test('without arguments it serves on :9117 with the defaults', () => {
  const { command, flags } = run();
  assert.equal(command, 'serve');
  assert.deepEqual(flags['web.listen-address'], [{ kind: 'tcp', port: 9117 }]);
  assert.deepEqual(
    [
      flags['web.telemetry-path'],
      flags['path.procfs'],
      flags['path.rootfs'],
      flags['scan.freshness'],
      flags['scan.grace'],
      flags['web.max-requests'],
      flags['log.level'],
      flags['log.format'],
      flags['config.file'],
      flags.json,
    ],
    ['/metrics', '/proc', '/', 1, 10, 0, 'info', 'logfmt', undefined, false],
  );
});

test('a value follows a space or an equals sign', () => {
  assert.equal(run('--config.file', '/a').flags['config.file'], '/a');
  assert.equal(run('--config.file=/a=b').flags['config.file'], '/a=b');
});

test('the last of two equal flags wins; a repeatable flag is collected and replaces the default', () => {
  assert.equal(run('--scan.grace=1s', '--scan.grace=2m').flags['scan.grace'], 120);
  const addresses = run('--web.listen-address=:1', '--web.listen-address', '[::1]:2').flags['web.listen-address'];
  assert.deepEqual(addresses.map(listenLabel), [':1', '[::1]:2']);
});

test('the command can be anywhere before --', () => {
  assert.equal(run('--log.level=debug', 'check', '--json').command, 'check');
  assert.equal(run('serve').command, 'serve');
  assert.equal(run('metrics', '--output=/x/fb.prom').flags.output, '/x/fb.prom');
});

test('explain takes the command line after -- unchanged', () => {
  const options = run(
    'explain',
    '--cwd=/srv',
    '--env',
    'A=b=c',
    '--env=D=',
    '--filebeat-release=8.19',
    '--',
    'filebeat',
    '-c',
    'x.yml',
    '--help',
    '--',
  );
  assert.ok(options.command === 'explain');
  assert.deepEqual(options.argv, ['filebeat', '-c', 'x.yml', '--help', '--']);
  assert.deepEqual(options.flags.env, [
    { name: 'A', value: 'b=c' },
    { name: 'D', value: '' },
  ]);
  assert.equal(options.flags.cwd, '/srv');
  assert.equal(run('explain', '--pid', '42', '--against-host').flags.pid, 42);
  assert.equal(run('explain', '--compare-release=9').flags['compare-release'], '9');
});

test('forget takes a name and a learned port', () => {
  const options = run('forget', 'core switches', '--port', 'udp/9000');
  assert.ok(options.command === 'forget');
  assert.deepEqual([options.name, options.flags.port], ['core switches', { protocol: 'udp', port: 9000 }]);
});

test('an invalid argument is refused with one sentence that names the flag', () => {
  const cases: [string[], RegExp][] = [
    [['--nonsense'], /^unknown flag --nonsense/],
    [['--nonsense=x'], /^unknown flag --nonsense/],
    [['-c'], /^unknown flag -c/],
    [['--toString'], /^unknown flag --toString/],
    [['--no-json'], /^unknown flag/],
    [['--config.file'], /^--config.file needs a path/],
    [['--config.file', '--quiet'], /^--config.file needs a value/],
    [['--config.file='], /^--config.file needs a path/],
    [['--scan.grace=soon'], /^--scan.grace needs a duration/],
    [['--scan.grace=-1s'], /^--scan.grace needs a duration/],
    [['--web.listen-address=9117'], /^--web.listen-address needs host:port/],
    [['--web.listen-address=:70000'], /^--web.listen-address needs/],
    [['--web.external-url=logs.example/filebeat'], /^--web.external-url needs a URL/],
    [['--web.route-prefix=/:x'], /^--web.route-prefix needs a path/],
    [['--web.telemetry-path=metrics'], /^--web.telemetry-path needs a path/],
    [['--web.telemetry-path=/'], /^--web.telemetry-path/],
    [['--web.telemetry-path=/api/v1/status'], /^--web.telemetry-path/],
    [['--web.telemetry-path=/:x'], /^--web.telemetry-path/],
    [['--web.max-requests=1.5'], /^--web.max-requests needs a whole number/],
    [['--web.enable-lifecycle=maybe'], /^--web.enable-lifecycle is a switch/],
    [['--log.level=loud'], /^--log.level needs one of debug, info, warn, error/],
    [['--json'], /^--json is a flag of check, explain, not of serve/],
    [['chek'], /^unknown command; there are serve, check/],
    [['check', 'core'], /^check takes no argument/],
    [['check', '--', 'filebeat'], /^check takes no command line/],
    [['forget'], /^forget needs the name/],
    [['forget', 'a', 'b'], /^forget takes one name/],
    [['forget', 'a', '--port=9000'], /^--port needs protocol and port/],
    [['forget', 'a', '--port=udp/0'], /^--port needs protocol and port/],
    [['explain', '--pid=0'], /^--pid needs a whole number from 1/],
    [['explain', 'filebeat'], /after --$/],
    [['explain', '--'], /after --$/],
    [['explain', '--pid=1', '--', 'filebeat'], /exclude each other/],
    [['explain', '--compare-release=newest'], /^--compare-release needs a release/],
  ];
  for (const [argv, message] of cases) {
    const said = refused(...argv);
    assert.match(said, message, argv.join(' '));
    assert.ok(!said.includes('\n'));
  }
});

test('a refusal never repeats the value', () => {
  for (const argv of [
    ['explain', '--env=hunter2'],
    ['--scan.grace=hunter2'],
    ['--quiet=hunter2', 'check'],
    ['hunter2'],
  ])
    assert.doesNotMatch(refused(...argv), /hunter2/);
});

test('the state file is in systemd’s state directory by default', () => {
  const state = (argv: string[], env: NodeJS.ProcessEnv) => {
    const parsed = parseOptions(argv, env);
    return parsed.kind === 'run' ? parsed.options.flags['state.file'] : parsed.kind;
  };
  assert.equal(state([], {}), '/var/lib/filebeat-port-exporter/state.json');
  assert.equal(state([], { STATE_DIRECTORY: '/run/a:/run/b' }), '/run/a/state.json');
  assert.equal(state(['--state.file=/x'], { STATE_DIRECTORY: '/run/a' }), '/x');
  assert.equal(state(['--state.file='], { STATE_DIRECTORY: '/run/a' }), '');
});

test('--help wins over errors in other flags, and is generated from the flag table', () => {
  const parsed = parseOptions(['check', '--scan.grace=soon', '--help'], {});
  assert.ok(parsed.kind === 'help');
  assert.match(parsed.text, /--quiet/);
  assert.doesNotMatch(parsed.text, /--web\.listen-address/);
  assert.equal(parseOptions(['-h'], {}).kind, 'help');
  assert.equal(parseOptions(['--version'], {}).kind, 'version');
  for (const name of Object.keys(flagTable) as FlagName[]) assert.ok(helpText().includes(`--${name}`), name);
  for (const command of commandNames) assert.ok(helpText(command).includes('--log.level'), command);
  assert.match(helpText(), /--web\.listen-address=ADDRESS +address to listen on; repeatable \(default :9117\)/);
});

test('durations have the format of Prometheus', () => {
  const cases: [string, number | undefined][] = [
    ['500ms', 0.5],
    ['10m', 600],
    ['7d', 604_800],
    ['1h30m', 5400],
    ['168h', 604_800],
    ['1y2w', 32_745_600],
    ['0', 0],
    ['0s', 0],
    ['', undefined],
    ['5', undefined],
    ['1.5h', undefined],
    ['-5m', undefined],
    ['30m1h', undefined],
    ['10 m', undefined],
    ['1h1h', undefined],
    ['9'.repeat(20) + 'y', undefined],
  ];
  for (const [text, seconds] of cases) assert.equal(parseDuration(text), seconds, text);
});
