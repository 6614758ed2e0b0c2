/** Runs `explain -- COMMAND LINE` on files in a folder, without a running Filebeat, and checks the output. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { explainCli, explained, mainFile, newest, sink, udp } from '../support/explain-cli.js';
import { type Tree, writeTree } from '../support/tree.js';

describe('explain of a command line', () => {
  it('shows every listener with its position, its socket and overridden settings', async () => {
    const tree = {
      'filebeat.yml': mainFile(':9000', 'localhost:9001'),
      'b.yml': `filebeat.inputs:\n${udp('127.0.0.1:9007')}`,
    };
    const { code, out } = await explained(tree, [
      '-c',
      'filebeat.yml',
      '-c',
      'b.yml',
      '-E',
      "filebeat.inputs.1.host=['::1']",
    ]);
    assert.equal(code, 1, 'a list is no host');
    assert.match(
      out,
      /would not start\n {2}because {4}The setting host has the wrong type\. It takes a text\. \(command line\)/,
    );
    const good = await explained(tree, [
      '-c',
      'filebeat.yml',
      '-c',
      'b.yml',
      '-E',
      'filebeat.inputs.1.host=localhost:9009',
    ]);
    assert.equal(good.code, 0);
    assert.match(good.out, /would run; 2 listeners/);
    assert.match(good.out, /udp {2}127\.0\.0\.1:9007 {2}resolved\n.*\n {4}declared {3}\/b\.yml:3/);
    assert.match(good.out, /host: \/b\.yml:3 overrides \/filebeat\.yml:3/);
    assert.match(good.out, /host: command line overrides \/filebeat\.yml:5/);
    assert.match(good.out, /becomes {4}udp 127\.0\.0\.1:9009\n/);
  });

  it('takes variables only from --env, and says where they come from', async () => {
    const tree = { 'filebeat.yml': mainFile('127.0.0.1:${UDP_PORT}', ':${OTHER:9001}') };
    const cwd = writeTree(tree);
    const args = [...newest, '--cwd', cwd, '--', './filebeat', '--strict.perms=false'];
    const ours = await explainCli(args, { env: { UDP_PORT: '9000' } });
    assert.equal(ours.code, 1);
    assert.match(ours.out, /The variable UDP_PORT is not defined\. \(.*filebeat\.yml:3\)/);
    const theirs = await explainCli(['--env', 'UDP_PORT=9000', ...args]);
    assert.equal(theirs.code, 0);
    assert.match(theirs.out, /127\.0\.0\.1:9000/);
    assert.match(theirs.out, /\$\{UDP_PORT\} is set in the environment/);
    assert.match(theirs.out, /\$\{OTHER\} is not set, so its default applies/);
  });

  it('reads files below --path.rootfs, and needs no program name', async () => {
    const root = writeTree({ 'etc/filebeat/filebeat.yml': mainFile(':9000') });
    const args = ['-c', '/etc/filebeat/filebeat.yml', '--strict.perms=false'];
    const said = await explainCli([...newest, '--path.rootfs', root, '--cwd', '/', '--', ...args]);
    assert.equal(said.code, 0);
    assert.match(said.out, /declared {3}\/etc\/filebeat\/filebeat\.yml:3\n/);
  });

  it('follows the wrapper script of Filebeat’s packages', async () => {
    const root = writeTree({
      'usr/bin/filebeat':
        '#!/usr/bin/env bash\nexec /usr/share/filebeat/bin/filebeat --path.home /usr/share/filebeat --path.config /etc/filebeat "$@"\n',
      'etc/filebeat/filebeat.yml': mainFile(':9000'),
    });
    const args = ['--cwd', '/', '--', 'filebeat', '--strict.perms=false'];
    const said = await explainCli([...newest, '--path.rootfs', root, ...args]);
    assert.match(said.out, /home \/usr\/share\/filebeat, config \/etc\/filebeat/);
    assert.equal(said.code, 0);
  });

  const outcomes: [title: string, tree: Tree, code: number, says: RegExp][] = [
    ['a random port', { 'filebeat.yml': mainFile(':0') }, 0, /random\n(.*\n)*.*the kernel picks another one/],
    ['a host that can never be bound', { 'filebeat.yml': mainFile('9000') }, 0, /invalid\n(.*\n)*.*has no port/],
    ['two inputs on one port', { 'filebeat.yml': `${mainFile(':9000', '127.0.0.1:9000')}` }, 3, /which one is chance/],
    [
      'a name of the keystore',
      { 'filebeat.yml': mainFile(':${SECRET_PORT}'), 'data/filebeat.keystore': 'x' },
      3,
      /unresolved\n(.*\n)*.*only the keystore can define/,
    ],
    [
      'two spellings of one setting',
      {
        'filebeat.yml': `filebeat:\n  inputs:\n  - {type: udp, host: "127.0.0.1:1"}\nfilebeat.inputs:\n- {type: udp, host: "127.0.0.1:2"}\n${sink}`,
      },
      3,
      /decides by chance/,
    ],
    [
      'autodiscover',
      { 'filebeat.yml': `filebeat.autodiscover.providers: [{type: aws_ec2}]\n${sink}` },
      3,
      /come from elsewhere/,
    ],
    ['a missing file', {}, 1, /The file \/filebeat\.yml does not exist/],
    [
      'an input of release 8',
      { 'filebeat.yml': `filebeat.inputs:\n- type: log\n  paths: [/x]\n${sink}` },
      1,
      /allow_deprecated_use: true\. \(\/filebeat\.yml:2\)/,
    ],
    [
      'a reloaded file with a bad entry',
      {
        'filebeat.yml': `filebeat.config.inputs: {path: "inputs.d/*.yml", reload.enabled: true, reload.period: 5s}\n${sink}`,
        'inputs.d/a.yml': `- type: nosuch\n${udp(':9000')}`,
      },
      1,
      /lost {7}This release does not know the type of an input\. \(\/inputs\.d\/a\.yml:1\)(.*\n)*.*read every 5 s/,
    ],
  ];
  for (const [title, tree, code, says] of outcomes)
    it(`${title}: exit code ${code}`, async () => {
      const said = await explained(tree, []);
      assert.match(said.out, says);
      assert.equal(said.code, code, said.err);
    });

  it('says whether the release is known, and from what', async () => {
    const tree = { 'filebeat.yml': mainFile(':9000') };
    assert.match(
      (await explained(tree, [], [])).out,
      /release {4}not known from its files; the rules of the newest release are assumed/,
    );
    const installed = { ...tree, 'README.md': '# Welcome to Filebeat 8.19.21\n' };
    assert.match((await explained(installed, [], [])).out, /release {4}8\.19\.21 \(README\.md in its home says so\)/);
    assert.match(
      (await explained(installed, [], ['--filebeat-release', '7'])).out,
      /release {4}7\.17\.\d+ \(--filebeat-release\)/,
    );
  });

  it('prints the same facts as JSON', async () => {
    const { code, out } = await explained(
      { 'filebeat.yml': mainFile(':9000', 'collector.example:9001') },
      [],
      ['--json', ...newest],
    );
    assert.equal(code, 3);
    const [one] = JSON.parse(out).filebeats;
    assert.equal(one.outcome, 'runs');
    assert.deepEqual(
      one.listeners.map((l: Record<string, unknown>) => [
        l['address'],
        l['port'],
        l['status'],
        l['declared_in'],
        l['collisions'],
      ]),
      [
        ['*', 9000, 'resolved', '/filebeat.yml:3', null],
        ['collector.example', 9001, 'unresolved', '/filebeat.yml:5', null],
      ],
    );
    assert.deepEqual(one.listeners[0].socket, { table: 'udp6', address: '::', port: 9000, shared: false });
  });

  it('never shows a value other than hosts and ports of listeners', async () => {
    const secret = 'hunter2';
    const places = [
      `${mainFile(':9000')}  username: ${secret}\nfields.token: ${secret}\n`,
      `${mainFile(':9000')}processors: [{add_fields: ${secret}}, {drop_event: {when: ${secret}}}]\nname: "\${NOPE:${secret}}"\n`,
      `${mainFile('127.0.0.1:${PORT:?' + secret + '}')}`,
      `filebeat.inputs:\n- type: udp\n  host: [${secret}]\n${sink}`,
      `filebeat.inputs:\n- type: udp\n  host: ":9000"\n  max_message_size: ${secret}\n  read_buffer: ${secret}\n${sink}`,
      `filebeat.inputs:\n- type: ${secret}\n${sink}`,
      `filebeat.inputs: ${secret}\noutput.elasticsearch: {hosts: x, password: ${secret}, ssl: ${secret}}\n`,
      `filebeat.inputs:\n- {type: syslog, protocol.udp: {host: ":9000", timeout: ${secret}}}\n${sink}`,
      `a: "${secret}\n`,
      `${secret}\n: ${secret}: ${secret}\n`,
    ];
    for (const text of places)
      for (const json of [[], ['--json']])
        for (const compared of [[], ['--compare-release', '8']]) {
          const argv = ['-E', `output.console.pretty=${secret}`, '-E', `cloud.auth=[${secret}`];
          const flags = [...newest, ...json, ...compared, '--env', `PASSWORD=${secret}`];
          const said = await explained({ 'filebeat.yml': text }, argv.slice(0, 2), flags);
          assert.doesNotMatch(said.out + said.err, new RegExp(secret), text);
          if (json.length === 0 && compared.length === 0) {
            const refused = await explained({ 'filebeat.yml': text }, argv, flags);
            assert.doesNotMatch(refused.out + refused.err, new RegExp(secret), text);
          }
        }
  });

  const refused: [title: string, args: string[], says: RegExp][] = [
    ['a pid that does not exist', ['--pid', '999999999'], /there is no process 999999999/],
    ['a pid that is no Filebeat', ['--pid', String(process.pid)], /is not a Filebeat/],
    ['--cwd without a command line', ['--cwd', '/'], /belong to a command line/],
    ['--env without a command line', ['--pid', '1', '--env', 'A=b'], /belong to a command line/],
    ['both questions at once', ['--against-host', '--compare-release', '9', '--', 'filebeat'], /exclude each other/],
  ];
  for (const [title, args, says] of refused)
    it(`${title} is refused with one sentence and exit code 2`, async () => {
      const { code, out, err } = await explainCli(args);
      assert.equal(code, 2);
      assert.equal(out, '');
      assert.match(err, says);
      assert.equal(err.trim().split('\n').length, 1);
    });
});

describe('explain of nothing', () => {
  it('says so, with exit code 0', async () => {
    const root = writeTree({ 'etc/': '', 'proc/1/': '', 'settings.yml': 'discovery: {systemd: false}\n' });
    const flags = ['--path.rootfs', root, '--path.procfs', join(root, 'proc')];
    const said = await explainCli([...flags, '--config.file', join(root, 'settings.yml')]);
    assert.match(said.out, /^no Filebeat runs here and none is expected/);
    assert.equal(said.code, 0, said.err);
  });
});
