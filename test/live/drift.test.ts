/**
 * Thirty edits of a running Filebeat's files: no drift, a pending reload, or a pending restart. The process is real and
 * does not notice the edit, like a Filebeat before it reads a file again.
 */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { createTrial, ownPort, type Trial, tell } from '../support/trial.js';

type Outcome = 'no drift' | 'pending reload' | 'restart needed';

interface Bench {
  trial: Trial;
  /** Sockets of the process: two of the main file, one of a reloaded file. */
  ports: readonly [number, number, number];
  spare: number;
  read(name: string): string;
  write(name: string, text: string): void;
}

const main = 'one.yml';
const included = 'inputs.d/a.yml';
const replaced = (name: string, from: string | RegExp, to: string) => (bench: Bench) => {
  const before = bench.read(name);
  const text = before.replace(from, to);
  assert.notEqual(text, before, 'the edit changes something');
  bench.write(name, text);
};

const edits: [what: string, edit: (bench: Bench) => void, outcome: Outcome][] = [
  // in the main file
  ['touch of the main file', ({ trial }) => utimesSync(join(trial.folder, main), new Date(), new Date()), 'no drift'],
  ['a comment', (b) => b.write(main, `# a comment\n${b.read(main)}`), 'no drift'],
  ['a comment behind a host', replaced(main, /(host: "127.*")/, '$1 # core switches'), 'no drift'],
  ['blank lines', (b) => b.write(main, b.read(main).replaceAll('\n', '\n\n')), 'no drift'],
  ['the order of inputs', (b) => b.write(main, swapped(b.read(main))), 'no drift'],
  ['quotes', replaced(main, 'type: udp', 'type: "udp"'), 'no drift'],
  ['quotes around a key', replaced(main, 'filebeat.inputs:', '"filebeat.inputs":'), 'no drift'],
  ['tags', replaced(main, 'type: udp', 'type: udp\n  tags: [core]'), 'no drift'],
  ['fields', replaced(main, 'type: udp', 'type: udp\n  fields: {site: north}'), 'no drift'],
  ['another output', replaced(main, 'output.console.enabled: true', 'output.file.path: /tmp'), 'no drift'],
  ['the level of the log', (b) => b.write(main, `${b.read(main)}logging.level: debug\n`), 'no drift'],
  ['an input that is switched off', (b) => b.write(main, added(b, 'enabled: false')), 'no drift'],
  ['a file put in place of the old one', ({ trial, read }) => moved(trial, main, read(main)), 'no drift'],
  ['its mode', ({ trial }) => chmodSync(join(trial.folder, main), 0o644), 'no drift'],
  ['a wildcard in another spelling', replaced(main, '"0.0.0.0:', '":'), 'no drift'],
  ['another port', (b) => b.write(main, b.read(main).replace(String(b.ports[0]), String(b.spare))), 'restart needed'],
  ['another address', replaced(main, '"127.0.0.1:', '"127.0.0.2:'), 'restart needed'],
  ['one input more', (b) => b.write(main, added(b)), 'restart needed'],
  [
    'one input less',
    (b) => b.write(main, b.read(main).replace(/- type: udp\n {2}host: "127.*"\n/, '')),
    'restart needed',
  ],
  ['an input switched off', replaced(main, 'type: udp', 'type: udp\n  enabled: false'), 'restart needed'],
  [
    'another type of input',
    replaced(main, /type: udp\n {2}host: ("127.*")/, 'type: syslog\n  protocol.udp.host: $1'),
    'restart needed',
  ],
  ['another protocol', replaced(main, 'type: udp', 'type: tcp'), 'restart needed'],
  ['another read_buffer', replaced(main, 'type: udp', 'type: udp\n  read_buffer: 1MiB'), 'restart needed'],
  ['http.enabled', (b) => b.write(main, `${b.read(main)}http: {enabled: true, port: ${b.spare}}\n`), 'restart needed'],
  [
    'another port with an older time stamp',
    (b) => {
      b.write(main, b.read(main).replace(String(b.ports[0]), String(b.spare)));
      utimesSync(join(b.trial.folder, main), 1_600_000_000, 1_600_000_000);
    },
    'restart needed',
  ],
  // in a reloaded file
  ['touch of a reloaded file', ({ trial }) => trial.age(join(trial.folder, included), 2), 'no drift'],
  ['a comment in a reloaded file', (b) => b.write(included, `# a comment\n${b.read(included)}`), 'no drift'],
  [
    'another port in a reloaded file',
    (b) => b.write(included, b.read(included).replace(String(b.ports[2]), String(b.spare))),
    'pending reload',
  ],
  [
    'one input more in a reloaded file',
    (b) => b.write(included, `${b.read(included)}- {type: udp, host: "127.0.0.1:${b.spare}"}\n`),
    'pending reload',
  ],
  [
    'a new file beside it',
    (b) => b.write('inputs.d/b.yml', `- {type: udp, host: "127.0.0.1:${b.spare}"}\n`),
    'pending reload',
  ],
  [
    'an input switched off in a reloaded file',
    replaced(included, 'type: udp', 'type: udp\n  enabled: false'),
    'no drift',
  ],
];

function added({ read, spare }: Bench, more = ''): string {
  return read(main).replace(
    'output',
    `- type: udp\n  host: "127.0.0.1:${spare}"\n${more === '' ? '' : `  ${more}\n`}output`,
  );
}

function swapped(text: string): string {
  const [head = '', first = '', second = ''] =
    /^([\s\S]*?)(- type[\s\S]*?)(- type[\s\S]*?)(?=output)/.exec(text)?.slice(1) ?? [];
  assert.ok(first !== '' && second !== '');
  return text.replace(`${head}${first}${second}`, `${head}${second}${first}`);
}

function moved(trial: Trial, name: string, text: string): void {
  const path = trial.write(`${name}.new`, text);
  renameSync(path, join(trial.folder, name));
}

describe('an edit after the start', () => {
  let ports: number[];
  before(async () => {
    ports = await Promise.all(Array.from({ length: 4 }, ownPort));
  });

  it('is tested in at least thirty kinds', () => assert.ok(edits.length >= 30));

  for (const [what, edit, outcome] of edits)
    it(`${what}: ${outcome}`, async () => {
      const [a, b, c, spare] = ports as [number, number, number, number];
      const trial = createTrial();
      const text = `filebeat.config.inputs: {path: ${trial.folder}/inputs.d/*.yml, reload.enabled: true}\nfilebeat.inputs:\n- type: udp\n  host: "127.0.0.1:${a}"\n- type: udp\n  host: "0.0.0.0:${b}"\noutput.console.enabled: true\n`;
      trial.age(trial.write(included, `- type: udp\n  host: "127.0.0.1:${c}"\n`), 30);
      const one = await trial.release('one', '8.19.21', text, [
        `udp 127.0.0.1:${a}`,
        `udp :${b}`,
        `udp 127.0.0.1:${c}`,
      ]);
      try {
        assert.equal(one.failures.size, 0);
        trial.wait(60);
        assert.deepEqual(tell(await trial.scan(), trial).lines, []);
        const bench: Bench = {
          trial,
          ports: [a, b, c],
          spare,
          read: (name) => readFileSync(join(trial.folder, name), 'utf8'),
          // Ten seconds ago: after the start, and within the reload period.
          write: (name, content) => trial.age(trial.write(name, content), 10),
        };
        edit(bench);
        const { lines } = tell(await trial.scan(), trial);
        const expected: Record<Outcome, string[]> = {
          'no drift': [],
          'pending reload': [`port_missing one udp 127.0.0.1:${spare} reload-pending`],
          'restart needed': ['restart_pending one edited-after-start'],
        };
        assert.deepEqual(lines, expected[outcome]);
      } finally {
        await trial.end();
      }
    });
});
