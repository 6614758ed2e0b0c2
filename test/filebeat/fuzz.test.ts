/**
 * With any content of its files a prediction ends soon, never throws, and has no port that is not configured.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { predict } from '../../src/filebeat/predict.js';
import type { Prediction } from '../../src/model/model.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { HOSTS, memoryFiles, predicted } from '../support/filebeat.js';

const SEED = 20_261_123;
const ROUNDS = 20_000;
const RELEASES = ['6.8.23', '7.8.0', '7.17.16', '8.10.5', '8.19.21', '9.6.0'];

/** A small generator with a fixed seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(SEED);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

const VALID = [
  'filebeat.inputs:\n- type: udp\n  host: "127.0.0.1:9001"\n- type: syslog\n  protocol.udp:\n    host: ":9002"\n    read_buffer: 1MiB\n',
  'filebeat:\n  inputs:\n    - &a {type: udp, host: "${H:0.0.0.0:9003}", enabled: yes}\n    - <<: *a\n      host: "[::1]:9004"\n  config.inputs:\n    path: d/*.yml\n    reload: {enabled: true, period: 5s}\n',
  'my: {port: 9005}\nfilebeat.inputs: [{type: netflow, host: "localhost:${my.port}", protocols: [v5]}, {type: tcp, host: ":9006"}]\nhttp: {enabled: true, port: 9007}\nprocessors: [{add_tags: {tags: [a]}}]\n',
  'filebeat.modules:\n- module: netflow\n  log: {enabled: true, var: {netflow_host: 0.0.0.0, netflow_port: 9008}}\n- module: cisco\n  asa: {var.syslog_port: 9009, var.input: udp}\n',
  'filebeat.inputs.0.type: udp\nfilebeat.inputs.0.host: ":9010"\nfilebeat.inputs.1: {type: http_endpoint, listen_port: 9011}\nqueue.mem.events: 64\n',
];
const SCRAPS = [
  '${',
  '}',
  ':',
  '- ',
  '\n',
  '  ',
  '"',
  "'",
  '[',
  ']',
  '{',
  '}',
  '&a ',
  '*a',
  '<<: ',
  '!!binary ',
  '|\n',
  '>-\n',
  '#',
  '$$',
  '\t',
  '\u0000',
  'ÿ',
  '0x',
  'null',
  '~',
  'yes',
  '.0.',
  '-1',
  '\r',
  '---\n',
  '...\n',
  '? ',
  '%YAML 1.1\n',
  '99999999999',
];

/** Changes a text in a few places: bytes, pieces of syntax, cuts, repeated and swapped lines. */
function mutate(text: string): Uint8Array {
  let bytes = Buffer.from(text);
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(bytes.length + 1);
    switch (below(6)) {
      case 0:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256)]), bytes.subarray(at)]);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(pick(SCRAPS)), bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]);
        break;
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4: {
        const lines = bytes.toString('latin1').split('\n');
        lines.splice(below(lines.length), 0, pick(lines));
        bytes = Buffer.from(lines.join('\n'), 'latin1');
        break;
      }
      default:
        if (at < bytes.length) bytes[at] = below(256);
    }
  }
  return bytes;
}

const KEYS = [
  'filebeat',
  'inputs',
  'modules',
  'config',
  'type',
  'host',
  'protocol',
  'udp',
  'tcp',
  'enabled',
  '0',
  '1',
  'path',
  'reload',
  'http',
  'port',
  'processors',
  'when',
  'id',
  'var',
  'module',
  'log',
  'output',
  'queue',
  'fields',
  'ssl',
  'network',
  'a.b',
  'inputs.0.type',
  '__proto__',
  'constructor',
];
const SCALARS = [
  'udp',
  'syslog',
  'netflow',
  'tcp',
  'log',
  '"127.0.0.1:9020"',
  '":9021"',
  '9022',
  '-3',
  '1e400',
  'true',
  'no',
  '~',
  '""',
  '"${A}"',
  '"${A:1}"',
  '"${filebeat}"',
  '"${type}:${host}"',
  '10KiB',
  '5s',
  '0o17',
  '.inf',
  '"*.yml"',
  '"[::1]:9023"',
];

/** A random tree in flow style. */
function randomTree(depth: number): string {
  if (depth === 0 || random() < 0.3) return pick(SCALARS);
  const items = Array.from({ length: below(4) }, () => randomTree(depth - 1));
  if (random() < 0.5) return `[${items.join(', ')}]`;
  return `{${items.map((item) => `"${pick(KEYS)}": ${item}`).join(', ')}}`;
}

/** Default ports of Filebeat. */
const DEFAULT_PORTS = new Set([0, 2055, 5044, 5066, 8000, 8080, 9001, 9002, 9003, 9004, 9005, 514]);

/** Every port is a default, or its digits are in the configuration (in any base). */
function assertNothingInvented({ listeners }: Prediction, written: string): void {
  for (const { port } of listeners) {
    if (port === undefined || DEFAULT_PORTS.has(port)) continue;
    const numbers = [...written.matchAll(/[0-9][0-9a-fA-FxXoOb_]*/g)].flatMap(([digits]) => {
      const plain = digits.replaceAll('_', '');
      return [...plain.matchAll(/(?=(\d+))/g)]
        .map(([, tail]) => Number(tail))
        .concat(
          Number(plain),
          Number.parseInt(plain, 8),
          Number.parseInt(plain.slice(2), 16),
          Number.parseInt(plain.slice(2), 8),
        );
    });
    const sequences = written.replace(/[^0-9]/g, '');
    assert.ok(
      numbers.includes(port) || sequences.includes(String(port)),
      `port ${port} comes from nowhere in ${JSON.stringify(written)}`,
    );
  }
}

function assertWhole(prediction: Prediction): void {
  assert.ok(['runs', 'exits', 'dynamic', 'ambiguous', 'unknown'].includes(prediction.outcome));
  if (prediction.outcome !== 'runs') assert.ok(prediction.reason, 'every other outcome has its reason');
  if (prediction.outcome === 'exits') assert.equal(prediction.listeners.length, 0);
  assert.ok(JSON.stringify(prediction).length > 0, 'a prediction is plain data');
}

describe(`${ROUNDS} damaged configurations, seed ${SEED}`, () => {
  test('each gives a prediction, none throws or invents a port', () => {
    const started = process.hrtime.bigint();
    let slowest = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const main =
        random() < 0.6
          ? mutate(pick(VALID))
          : Buffer.from(`{${pick(KEYS)}: ${randomTree(5)}, filebeat.inputs: ${randomTree(4)}}`);
      const included =
        random() < 0.5
          ? mutate('- type: udp\n  host: ":9030"\n- {type: tcp, host: ":9031"}\n')
          : Buffer.from(randomTree(4));
      const args = random() < 0.3 ? ['-E', `${pick(KEYS)}.${pick(KEYS)}=${mutate(pick(SCALARS)).toString()}`] : [];
      const before = process.hrtime.bigint();
      let prediction: Prediction;
      try {
        prediction = predicted({
          main,
          files: { '/etc/fb/d/a.yml': included },
          args,
          env: { H: pick(SCALARS), A: '9040' },
          release: pick(RELEASES),
        });
        assertWhole(prediction);
        assertNothingInvented(
          prediction,
          `${main.toString('latin1')}\n${Buffer.from(included).toString('latin1')}\n${args.join(' ')} 9040 ${SCALARS.join(' ')}`,
        );
      } catch (error) {
        throw new Error(
          `round ${round}: ${JSON.stringify(Buffer.from(main).toString('latin1'))} ${JSON.stringify(args)}`,
          { cause: error },
        );
      }
      slowest = Math.max(slowest, Number(process.hrtime.bigint() - before) / 1e6);
    }
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    assert.ok(slowest < 1000, `the slowest round took ${slowest} ms`);
    assert.ok(seconds < 300, `all rounds took ${seconds} s`);
  });

  test('damaged command lines give a prediction as well', () => {
    const parts = [
      '-c',
      '-E',
      '-M',
      '--modules',
      '-d',
      '-e',
      '-ev',
      '-cx',
      '--',
      '-',
      '--path.home',
      '--path.config=/x',
      'run',
      'test',
      '-once',
      '--strict.perms=0',
      '=',
      '-E=',
      'a=b',
      'a.0=[1',
      '-path.data',
      '',
      '${X}',
      '--E',
      '-h',
      'filebeat.inputs=[{type: udp, host: ":9050"}]',
    ];
    for (let round = 0; round < 2000; round++) {
      const args = Array.from({ length: below(6) }, () =>
        random() < 0.2 ? mutate(pick(parts)).toString() : pick(parts),
      );
      assertWhole(predicted({ main: VALID[0]!, args, release: pick(RELEASES) }));
    }
  });
});

describe('excessive input ends in a gap within a second', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'fuzz-'));
    mkdirSync(join(root, 'etc'));
    for (const [path, text] of Object.entries(HOSTS)) writeFileSync(join(root, path), text);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  function timed(main: string): Prediction {
    writeFileSync(join(root, 'filebeat.yml'), main);
    return look();
  }

  function look(): Prediction {
    const started = process.hrtime.bigint();
    const prediction = predict(
      { argv: ['/filebeat', '--strict.perms=false'], cwd: '/', env: {}, uid: 0 },
      openFileView(root),
      { release: '9.6.0' },
    );
    const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
    assert.ok(milliseconds < 1000, `took ${milliseconds} ms`);
    assertWhole(prediction);
    return prediction;
  }

  test('a file of 100 MB', () => {
    writeFileSync(join(root, 'filebeat.yml'), Buffer.alloc(100 * 1024 * 1024, 'a: b\n'));
    const prediction = look();
    assert.equal(prediction.outcome, 'unknown');
    assert.equal(prediction.gaps[0]?.reason, 'limit');
  });

  test('aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const prediction = timed(`${lines.join('\n')}\nfilebeat.inputs: [{type: udp, fields: {a: *a11}}]`);
    // Filebeat's YAML library also counts aliases and gives up.
    assert.equal(prediction.reason?.code, 'yaml-alias');
  });

  test('ten thousand levels', () => {
    const prediction = timed(`a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`);
    assert.equal(prediction.gaps[0]?.reason, 'limit');
  });

  test('variables that multiply', () => {
    const lines = ['v0: xxxxxxxxxx'];
    for (let i = 1; i < 30; i++) lines.push(`v${i}: "\${v${i - 1}}\${w${i - 1}:\${v${i - 1}}}"`);
    timed(`${lines.join('\n')}\nfilebeat.inputs: [{type: udp, host: "\${v29}"}]\noutput.console: {}`);
  });

  test('links that lead to each other', () => {
    rmSync(join(root, 'filebeat.yml'));
    symlinkSync('b.yml', join(root, 'filebeat.yml'));
    symlinkSync('filebeat.yml', join(root, 'b.yml'));
    const prediction = look();
    assert.notEqual(prediction.outcome, 'runs');
    rmSync(join(root, 'filebeat.yml'));
    rmSync(join(root, 'b.yml'));
  });

  test('a hundred thousand included files', () => {
    const names = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`/etc/fb/d/${i}.yml`, '']));
    const main = 'filebeat.config.inputs.path: "d/*.yml"\noutput.console: {}';
    const files = memoryFiles({ ...HOSTS, '/etc/fb/filebeat.yml': main, ...names });
    const started = process.hrtime.bigint();
    const prediction = predict({ argv: ['/etc/fb/filebeat'], cwd: '/etc/fb', env: {}, uid: 0 }, files, {
      release: '9.6.0',
    });
    assert.ok(Number(process.hrtime.bigint() - started) / 1e6 < 1000);
    assert.ok(prediction.gaps.some(({ reason }) => reason === 'limit'));
  });
});
