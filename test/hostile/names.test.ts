/** Names of processes and files that try to break labels, pages, terminals and tables, in every view of the program. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { labelText } from '../../src/exporter/metrics/exposition.js';
import { type Exporter, run, startExporter } from '../support/exporter.js';
import { quietPort } from '../support/live.js';
import { createWorld, type Filebeat } from '../support/world.js';

const names = {
  html: '<img src=x onerror=alert(1)>"\'&',
  ansi: '\u001b[2J\u001b]0;owned\u0007\u009b31m',
  rightToLeft: '\u202egpj\u2066\u202d',
  lines: 'two\nlines\r\t\\"end',
  label: '"} 1\nfilebeat_instance_up{name="forged"} 0\n#',
  csv: '=cmd|\' /C calc\'!A0,"x";y',
  entity: '&lt;script&gt;',
};
const world = createWorld('names-');
let exporter: Exporter;
const victims: Filebeat[] = [];

before(async () => {
  for (const name of Object.values(names)) {
    const port = await quietPort();
    // A process with that name holds the port, and the path of the Filebeat contains the name.
    await world.process({
      argv: [name],
      name: name.replaceAll('/', '_').slice(0, 15),
      sockets: [`udp 127.0.0.1:${port}`],
    });
    victims.push(await world.filebeat(`${name.replaceAll('/', '_')}/fb`, [`127.0.0.1:${port}`]));
  }
  exporter = await startExporter(['--log.level=debug']);
});
after(async () => {
  await exporter?.stop();
  await world.end();
});

/** Control characters; line feed and tab are the program's own. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe('a hostile name', () => {
  it('is one label of one series, and cannot forge another', async () => {
    const scrape = await exporter.scrape();
    for (const { config: path, pid } of victims) {
      const [, config] = /config="((?:[^"\\]|\\.)*)"/.exec(labelText('instance', ['', path])) ?? [];
      assert.doesNotMatch(config!, obeyed);
      const label = config!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
      const found = scrape.value('filebeat_instance_up', { config: label, pid: `${pid}` });
      assert.equal(found, 1, JSON.stringify(path));
      assert.equal(scrape.value('filebeat_mismatch', { code: 'port_taken', config: label }), 1, JSON.stringify(path));
    }
    assert.deepEqual(scrape.all('filebeat_instance_up', { name: 'forged' }), []);
    const open = await exporter.get('/metrics', { headers: { Accept: 'application/openmetrics-text; version=1.0.0' } });
    assert.doesNotMatch(await open.text(), /^filebeat_instance_up\{name="forged"/m);
  });

  it('is text on every page', async () => {
    const { instances } = await exporter.status();
    for (const path of ['/', ...instances.map(({ name }) => `/instances/${encodeURIComponent(name)}`)]) {
      const page = await (await exporter.get(path, { headers: { Accept: 'text/html' } })).text();
      assert.doesNotMatch(page, /<img src=x|<script>alert|<b>"x/, path);
      assert.doesNotMatch(page, obeyed, path);
    }
  });

  it('is spelled out on the terminal: table, explanation, log', async () => {
    const plain = await (await exporter.get('/', { headers: { Accept: 'text/plain' } })).text();
    const outputs = [plain, exporter.log()];
    for (const words of [
      ['check'],
      ['explain'],
      ['explain', '--pid', `${victims[1]!.pid}`],
      ['explain', '--against-host'],
    ]) {
      const { stdout, stderr } = await run([...words, '--state.file=']);
      outputs.push(stdout, stderr);
    }
    for (const text of outputs) {
      const at = text.search(obeyed);
      assert.equal(at, -1, JSON.stringify(text.slice(Math.max(0, at - 80), at + 40)));
      assert.doesNotMatch(text, /^(filebeat_instance_up\{name="forged"|lines\b)/m);
    }
    const { stdout } = await run(['check', '--json', '--state.file=']);
    const document = JSON.parse(stdout) as { instances: { config: string }[] };
    for (const { config } of victims) assert.ok(document.instances.some((instance) => instance.config === config));
  });
});
