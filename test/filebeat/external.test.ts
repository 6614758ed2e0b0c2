import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { labels, type Made, predicted, summary } from '../support/filebeat.js';

const main = (reload: boolean, more = ''): string =>
  `filebeat.config.inputs: {path: "d/*.yml", reload.enabled: ${reload}}\nfilebeat.inputs: [{type: udp, host: ":1"}]\n${more}`;
const file = (...inputs: string[]): string => inputs.map((input) => `- ${input}\n`).join('');
const two = '{type: udp, host: ":2"}';

type Row = [fact: string, inputs: string, once: string, reloading: string, release?: string];

describe('an included file of inputs, read once and with reload', () => {
  const rows: Row[] = [
    ['adds its entries', file(two), 'udp *:1, udp *:2', 'udp *:1, udp *:2'],
    ['may be empty', '', 'udp *:1', 'udp *:1'],
    ['is not a list and has no entries', 'type: udp\nhost: ":2"\n', 'udp *:1', 'udp *:1'],
    ['is broken', '- {type: udp\n- x: [', 'exits: yaml-syntax', 'udp *:1'],
    ['has a key that is not a string', '- {type: udp, host: ":2", 1: x}', 'exits: yaml-key', 'udp *:1'],
    ['has an entry that is a text', '- udp', 'exits: wrong-type', 'udp *:1'],
    ['has an unknown type beside a good one', file('{type: what}', two), 'exits: unknown-input', 'udp *:1, udp *:2'],
    [
      'has an undefined host',
      file('{type: udp, host: "${NOWHERE}"}', two),
      'exits: undefined-variable',
      'udp *:1, udp *:2',
    ],
    [
      'has an undefined field that no input reads',
      file('{type: udp, host: ":3", fields.a: "${NOWHERE}"}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
    ],
    [
      'has a bad processor of udp',
      file('{type: udp, host: ":3", processors: [{x: {}}]}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
    ],
    [
      'has a bad processor of syslog',
      file('{type: syslog, protocol.udp.host: ":3", processors: [{x: {}}]}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
    ],
    [
      'has fields of the wrong type',
      file('{type: udp, host: ":3", fields: x}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
    ],
    ['has the same entry twice', file(two, two), 'udp *:1, udp *:2', 'udp *:1, udp *:2'],
    [
      'switches an entry off before 9.5',
      file('{type: udp, host: ":3", enabled: false}', two),
      'udp *:1, udp *:3, udp *:2',
      'udp *:1, udp *:3, udp *:2',
      '9.4.0',
    ],
    [
      'switches an entry off from 9.5 on',
      file('{type: udp, host: ":3", enabled: false}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
      '9.5.0',
    ],
    [
      'switches a bad entry off before 9.5',
      file('{type: what, enabled: false}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
      '8.19.21',
    ],
    [
      'refers to the main file',
      file('{type: udp, host: "${my.host}"}', two),
      'exits: undefined-variable',
      'udp *:1, udp *:2',
    ],
    [
      'refers to its own list, which is in sight of the check only',
      file('{type: udp, host: "${1.host}"}', two),
      'udp *:1, udp *:2',
      'udp *:1, udp *:2',
    ],
    ['has the same entry as the main file', file('{type: udp, host: ":1"}'), 'udp *:1, udp *:1', 'udp *:1, udp *:1'],
    ['has a module entry', file('{module: netflow}'), 'exits: deprecated-input', 'udp *:1'],
    ['has a log input', file('{type: log, paths: [/x]}', two), 'exits: deprecated-input', 'udp *:1, udp *:2'],
    ['has an empty entry', file('', two), 'exits: deprecated-input', 'udp *:1, udp *:2'],
    [
      'has a bad processor for 7.8',
      file('{type: udp, host: ":3", processors: [{x: {}}]}', two),
      'exits: unknown-processor',
      'udp *:1, udp *:2',
      '7.8.0',
    ],
  ];
  for (const [fact, text, once, reloading, release] of rows) {
    for (const [how, expected, reload] of [
      ['once', once, false],
      ['reloading', reloading, true],
    ] as const) {
      test(`${fact}: ${how}`, () => {
        const made: Made = {
          main: main(reload, 'my.host: ":4"'),
          files: { '/etc/fb/d/a.yml': text },
          ...(release ? { release } : {}),
        };
        assert.equal(summary(predicted(made)), expected);
      });
    }
  }
});

describe('which files are included', () => {
  const files = {
    '/etc/fb/d/a.yml': file('{type: udp, host: ":10"}'),
    '/etc/fb/d/.b.yml': file('{type: udp, host: ":11"}'),
    '/etc/fb/d/c.yml.disabled': file('{type: udp, host: ":12"}'),
    '/etc/fb/d/e/f.yml': file('{type: udp, host: ":13"}'),
    '/srv/x.yml': file('{type: udp, host: ":14"}'),
  };
  const rows: [pattern: string, ports: number[]][] = [
    ['d/*.yml', [11, 10]],
    ['d/*', [11, 10, 12]],
    ['d/[ab].yml', [10]],
    ['d/**/*.yml', [13]],
    ['d/{a,c}.yml', []],
    ['d/../d/a.yml', [10]],
    ['d', []],
    ['/srv/*.yml', [14]],
    ['nowhere/*.yml', []],
    ['${path.config}/d/a.yml', [10]],
  ];
  for (const [pattern, ports] of rows) {
    test(`${pattern} names ${ports.length} entries`, () => {
      const prediction = predicted({ main: `filebeat.config.inputs.path: "${pattern}"`, files });
      assert.deepEqual(
        prediction.listeners.map(({ port }) => port),
        ports,
      );
      assert.equal(prediction.outcome, 'runs');
    });
  }
  test('a malformed pattern stops the start unless files are reloaded', () => {
    const text = (reload: boolean) => `filebeat.config.inputs: {path: "d/[", reload.enabled: ${reload}}`;
    assert.equal(summary(predicted({ main: text(false), files })), 'exits: bad-glob');
    assert.equal(summary(predicted({ main: text(true), files })), 'nothing');
  });
  test('a path that is a list matches no files', () => {
    assert.equal(summary(predicted({ main: 'filebeat.config.inputs.path: ["d/*.yml"]', files })), 'nothing');
  });
  test('relative paths start at the effective path.config, from the file or the command line', () => {
    const text = 'path.config: /srv\nfilebeat.config.inputs.path: "*.yml"';
    assert.equal(summary(predicted({ main: text, files })), 'udp *:14');
    const args = ['-E', 'path.config=/etc/fb/d/e'];
    assert.equal(summary(predicted({ main: text, files, args })), 'udp *:13');
  });
});

test('a listener of a reloaded file has the reload period, and whether an edit may lose the port', () => {
  const made = {
    main: main(true).replace('reload.enabled: true', 'reload: {enabled: true, period: 30s}'),
    files: { '/etc/fb/d/a.yml': file(two) },
  };
  const of = (release: string) => predicted({ ...made, release }).listeners.find(({ port }) => port === 2)?.reload;
  assert.deepEqual(of('9.6.0'), { periodSeconds: 30 });
  assert.deepEqual(of('7.8.0'), { periodSeconds: 30, losesPort: true });
});

test('an included file that others may write is refused, or skipped with reload', () => {
  const files = { '/etc/fb/d/a.yml': { text: file(two), mode: 0o666 } };
  assert.equal(summary(predicted({ main: main(false), files })), 'exits: writable-by-others');
  assert.equal(summary(predicted({ main: main(true), files })), 'udp *:1');
  assert.equal(summary(predicted({ main: main(false), files, args: ['--strict.perms=false'] })), 'udp *:1, udp *:2');
  assert.equal(
    summary(predicted({ main: main(false), files, env: { BEAT_STRICT_PERMS: 'false' } })),
    'udp *:1, udp *:2',
  );
  assert.equal(
    summary(predicted({ main: main(false), files, env: { BEAT_STRICT_PERMS: 'False' } })),
    'exits: writable-by-others',
  );
});

test('releases that read included files early do so from the current directory, even when the section is off', () => {
  const text = 'filebeat.config.inputs: {enabled: false, path: "d/*.yml"}\nfilebeat.inputs: [{type: udp, host: ":1"}]';
  const files = { '/etc/fb/d/a.yml': '- {' };
  assert.equal(summary(predicted({ main: text, files, release: '8.15.0' })), 'exits: yaml-syntax');
  assert.equal(summary(predicted({ main: text, files, release: '8.19.21' })), 'udp *:1');
  assert.equal(summary(predicted({ main: text, files, release: '9.0.4' })), 'exits: yaml-syntax');
  assert.equal(summary(predicted({ main: text, files, release: '9.1.0' })), 'udp *:1');
});

test('config_dir reads whole configurations and appends their inputs', () => {
  const files = {
    '/etc/fb/d/a.yml': 'filebeat.inputs: [{type: udp, host: ":2"}]',
    '/etc/fb/d/b.yml': 'filebeat: {inputs: [{type: udp, host: ":3"}], prospectors: [{type: udp, host: ":4"}]}',
  };
  const text = 'filebeat.config_dir: d\nfilebeat.inputs: [{type: udp, host: ":1"}]';
  assert.equal(summary(predicted({ main: text, files, release: '8.19.21' })), 'udp *:1, udp *:2, udp *:3');
  assert.equal(summary(predicted({ main: text, files, release: '6.8.23' })), 'udp *:1, udp *:2, udp *:4, udp *:3');
});

test('of two inputs with the same id one fails, in 8.10 only', () => {
  const text =
    'filebeat.inputs:\n- {type: udp, host: ":1", id: a}\n- {type: udp, host: ":2", id: a}\n- {type: udp, host: ":3", id: b}';
  const rivals = (release: string) =>
    predicted({ main: text, release }).listeners.map(({ rival }) => rival !== undefined);
  assert.deepEqual(rivals('8.10.5'), [true, true, false]);
  assert.deepEqual(rivals('8.19.21'), [false, false, false]);
});

test('http_endpoints with different urls share one socket from 8.6 on; before, one of them gets no socket', () => {
  const text = 'filebeat.inputs:\n- {type: http_endpoint, url: /a}\n- {type: http_endpoint, url: /b}';
  const shares = (release: string) => {
    const { listeners } = predicted({ main: text, release });
    assert.deepEqual(labels(listeners), ['tcp 127.0.0.1:8000', 'tcp 127.0.0.1:8000']);
    return listeners.map((listener) => listener.shares ?? false);
  };
  assert.deepEqual(shares('9.6.0'), [true, true]);
  assert.deepEqual(shares('8.6.0'), [true, true]);
  assert.deepEqual(shares('8.5.3'), [false, false]);
  assert.deepEqual(shares('7.17.16'), [false, false]);
});
