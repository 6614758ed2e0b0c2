import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings, parseSettings, type Settings } from '../../src/settings/settings.js';

const parse = (text: string) => parseSettings(Buffer.from(text), 'settings.yml');

function good(text: string): Settings {
  const parsed = parse(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.errors.join('\n'));
  return parsed.settings;
}

function errors(text: string): string[] {
  const parsed = parse(text);
  assert.ok(!parsed.ok, text);
  return parsed.errors;
}

test('an empty file, only comments, or empty sections give the defaults', () => {
  for (const text of ['', '# nothing\n', 'discovery:\ninstances:\nports:\nthresholds:\n', '{}'])
    assert.deepEqual(good(text), defaultSettings, text);
});

test('every setting is read', () => {
  assert.deepEqual(
    good(`
discovery:
  process_names: [filebeat, fb]
  config_globs: [/etc/filebeat/filebeat-*.yml]
  systemd: false
  remember: 0
  remember_after: 5m
  learn_after: 1h30m
instances:
  - name: core-switches
    user: filebeat
    argv: [filebeat, -c, /etc/filebeat/core.yml]
    env: {REGION: north}
  - {name: lab, argv: [filebeat]}
ports:
  - 6984
  - {port: 514, protocol: tcp, address: 10.0.0.5, process: filebeat}
  - {port: 515, address: "2001:DB8::0:1"}
  - {port: 516, address: "*", silent_after: 1h}
legacy_port_metric: true
thresholds:
  receive_queue_ratio: 1
  restarts: {count: 5, within: 1h}
self_report: {logs: false, http: true, silent_after: 0}
`),
    {
      discovery: {
        processNames: ['filebeat', 'fb'],
        configGlobs: ['/etc/filebeat/filebeat-*.yml'],
        systemd: false,
        remember: 0,
        rememberAfter: 300,
        learnAfter: 5400,
      },
      instances: [
        {
          name: 'core-switches',
          user: 'filebeat',
          argv: ['filebeat', '-c', '/etc/filebeat/core.yml'],
          env: { REGION: 'north' },
        },
        { name: 'lab', argv: ['filebeat'], env: {} },
      ],
      ports: [
        { port: 6984, protocol: 'udp' },
        { port: 514, protocol: 'tcp', address: '10.0.0.5', process: 'filebeat' },
        { port: 515, protocol: 'udp', address: '2001:db8::1' },
        { port: 516, protocol: 'udp', silentAfter: 3600 },
      ],
      legacyPortMetric: true,
      thresholds: {
        receiveQueueRatio: 1,
        restarts: { count: 5, within: 3600 },
        frozenAfter: 10,
        stalledAfter: 60,
      },
      selfReport: { logs: false, http: true, silentAfter: 0 },
    },
  );
});

test('errors name file, line, key and the expected value', () => {
  const cases: [string, string][] = [
    [
      'discovry: {}',
      'settings.yml:1: discovry: unknown key; expected discovery, instances, ports, legacy_port_metric, thresholds, self_report',
    ],
    [
      'discovery:\n  remember: soon',
      'settings.yml:2: discovery.remember: expected a duration such as 500ms, 10m or 7d',
    ],
    [
      'discovery:\n  remember: 5',
      'settings.yml:2: discovery.remember: expected a duration such as 500ms, 10m or 7d (in quotes, if it looks like something else)',
    ],
    ['discovery:\n  remember:', 'settings.yml:2: discovery.remember: expected a duration such as 500ms, 10m or 7d'],
    ['discovery:\n  systemd: "yes"', 'settings.yml:2: discovery.systemd: expected true or false'],
    ['discovery: []', 'settings.yml:1: discovery: expected a map'],
    ['discovery:\n  process_names: filebeat', 'settings.yml:2: discovery.process_names: expected a list'],
    [
      'discovery:\n  process_names:\n    - a\n    - /usr/bin/b',
      'settings.yml:4: discovery.process_names[1]: expected the name of a program, without its directory',
    ],
    [
      'discovery:\n  config_globs: [a.yml]',
      'settings.yml:2: discovery.config_globs[0]: expected an absolute path or glob',
    ],
    ['ports:\n  - 0', 'settings.yml:2: ports[0]: expected a port from 1 to 65535'],
    ['ports:\n  - 70000', 'settings.yml:2: ports[0]: expected a port from 1 to 65535'],
    ['ports:\n  - "514"', 'settings.yml:2: ports[0]: expected a port from 1 to 65535'],
    ['ports:\n  - {protocol: udp}', 'settings.yml:2: ports[0].port: expected, but missing'],
    ['ports:\n  - port: 1\n    protocol: sctp', 'settings.yml:3: ports[0].protocol: expected one of udp, tcp'],
    ['ports:\n  - port: 1\n    address: localhost', 'settings.yml:3: ports[0].address: expected an IP address, or "*"'],
    ['ports:\n  - 514\n  - port: 514', 'settings.yml:3: ports[1].port: expected each port once'],
    [
      'instances:\n  - {name: a, argv: [x]}\n  - argv: [x]\n    name: a',
      'settings.yml:4: instances[1].name: expected a name that no other instance has',
    ],
    ['instances:\n  - name: a', 'settings.yml:2: instances[0].argv: expected, but missing'],
    [
      'instances:\n  - name: a\n    argv: []',
      'settings.yml:3: instances[0].argv: expected a command line such as [filebeat, -c, /etc/filebeat/core.yml]',
    ],
    [
      'instances:\n  - name: a\n    argv: [x, 5066]',
      'settings.yml:3: instances[0].argv[1]: expected a string (in quotes, if it looks like something else)',
    ],
    [
      'instances:\n  - name: ""\n    argv: [x]',
      'settings.yml:2: instances[0].name: expected a string that is not empty',
    ],
    ['instances:\n  - name: a\n    argv: [x]\n    env: [A]', 'settings.yml:4: instances[0].env: expected a map'],
    ['legacy_port_metric: 1', 'settings.yml:1: legacy_port_metric: expected true or false'],
    [
      'thresholds:\n  receive_queue_ratio: 80',
      'settings.yml:2: thresholds.receive_queue_ratio: expected a ratio above 0, at most 1',
    ],
    [
      'thresholds:\n  restarts: {count: 0}',
      'settings.yml:2: thresholds.restarts.count: expected a whole number from 1',
    ],
    ['ports: [1]\nports: [2]', 'settings.yml:2: ports: expected once'],
    [
      'instances:\n  - name: a\n    argv: [x]\n    env: {A: x, A: z}',
      'settings.yml:4: instances[0].env.A: expected once',
    ],
    ['- a', 'settings.yml:1: expected a map'],
    ['a: b: c', 'settings.yml:1: expected valid YAML'],
    [
      '__proto__: {}',
      'settings.yml:1: __proto__: unknown key; expected discovery, instances, ports, legacy_port_metric, thresholds, self_report',
    ],
  ];
  for (const [text, message] of cases) assert.deepEqual(errors(text), [message], text);
});

test('all errors are reported, not only the first', () => {
  assert.equal(errors('ports: [0, 70000]\nlegacy_port_metric: 1\nx: 1').length, 4);
});

test('an error never quotes a value', () => {
  const secret = 'hunter2';
  const texts = [
    `discovery: {remember: ${secret}}`,
    `ports: [${secret}]`,
    `instances: [{name: a, argv: [x], env: {A: [${secret}]}}]`,
    `discovery: {config_globs: [${secret}]}`,
    `ports: [{port: 1, address: ${secret}}]`,
    `a: [${secret}`,
    `thresholds: ${secret}`,
  ];
  for (const text of texts) for (const error of errors(text)) assert.doesNotMatch(error, /hunter2/);
});
