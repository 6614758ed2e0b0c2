import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { runConformance } from '../support/conformance.js';

let corpus: string;
before(() => {
  corpus = mkdtempSync(join(tmpdir(), 'corpus-'));
});
after(() => rmSync(corpus, { recursive: true, force: true }));

const udp = (port: number): object => ({ proto: 'udp', address: '127.0.0.1', port });

/** Writes one case and runs it. */
function run(
  expected: object[],
  main: string,
  more: object = {},
  files: Record<string, string> = {},
): { code: number; lines: string[] } {
  const folder = join(corpus, 'case');
  rmSync(folder, { recursive: true, force: true });
  const all = {
    'filebeat.yml': `${main}\noutput.console: {}`,
    'case.json': JSON.stringify({ id: 'case', category: 'made-up', argv: [], expected, ...more }),
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const lines: string[] = [];
  const code = runConformance([corpus], (line) => lines.push(line));
  return { code, lines };
}

const running = (...listeners: object[]): object => ({
  filebeat: ['8.19.21', '9.6.0'],
  state: 'running',
  listeners,
  tcp: [],
});
const one = 'filebeat.inputs: [{type: udp, host: "127.0.0.1:5101"}]';

test('a case counts once for each release that it names', () => {
  assert.deepEqual(run([running(udp(5101))], one), {
    code: 0,
    lines: ['category made-up: 2 of 2', 'release 8.19.21: 1 of 1', 'release 9.6.0: 1 of 1', '2 passed, 0 failed'],
  });
});

test('a failing case shows the expected and the predicted result', () => {
  const { code, lines } = run([running(udp(5102))], one);
  assert.equal(code, 1);
  assert.match(
    lines[0]!,
    /^case 8\.19\.21\n {2}expected {2}running \[udp 127\.0\.0\.1 5102\]\n {2}predicted running \[udp 127\.0\.0\.1 5101\]$/,
  );
  assert.equal(lines.at(-1), '0 passed, 2 failed');
});

test('an address that is not on the observed host opens no socket', () => {
  assert.equal(run([running()], 'filebeat.inputs: [{type: udp, host: "192.0.2.1:5101"}]').code, 0);
});

test('of two inputs on one socket one is open', () => {
  assert.equal(
    run([running(udp(5101))], `${one.slice(0, -1)}, {type: udp, host: "127.0.0.1:5101", tags: [a]}]`).code,
    0,
  );
});

test('where a race has several results one of them passes, elsewhere the order decides', () => {
  const two = `${one.slice(0, -1)}, {type: udp, host: ":5101"}]`;
  const wildcard = { proto: 'udp6', address: '::', port: 5101 };
  assert.equal(run([{ ...running(wildcard), alternatives: [{ listeners: [udp(5101)] }] }], two).code, 0);
  assert.equal(run([running(udp(5101))], two).code, 0);
  assert.equal(run([running(wildcard)], two).code, 1);
});

test('a random port is any port', () => {
  const row = { proto: 'udp6', address: '::', port: 40000, ephemeral: true };
  assert.equal(run([running(row)], 'filebeat.inputs: [{type: syslog, protocol.udp: {}}]').code, 0);
});

test('a process that does not collect has ended', () => {
  assert.equal(
    run([{ filebeat: ['9.6.0'], state: 'exits', listeners: [] }], one, { argv: ['test', 'config'] }).code,
    0,
  );
});

test('links are made in a copy, placeholders are filled in', () => {
  const more = {
    links: { 'd/a.yml': '${CASE}/real.yml' },
    argv: ['-E', 'filebeat.config.inputs.path=${CASE}/d/*.yml'],
  };
  const files = { 'real.yml': '- {type: udp, host: "127.0.0.1:5103"}' };
  assert.equal(run([running(udp(5101), udp(5103))], one, more, files).code, 0);
});

test('without a corpus it skips, but fails where a build ought to have one', () => {
  const missing = [join(corpus, 'nowhere')];
  const lines: string[] = [];
  const known = process.env['CI'];
  try {
    delete process.env['CI'];
    assert.equal(
      runConformance(missing, (line) => lines.push(line)),
      0,
    );
    process.env['CI'] = 'true';
    assert.equal(
      runConformance(missing, (line) => lines.push(line)),
      1,
    );
  } finally {
    if (known === undefined) delete process.env['CI'];
    else process.env['CI'] = known;
  }
  assert.match(lines[0]!, /skipped$/);
});
