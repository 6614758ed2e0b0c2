/**
 * No secret leaks: a host with secrets in everything that the program reads, and a search for them in everything that
 * the program can output.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createCanaries, type SecretHost, startSecretHost } from '../support/canaries.js';
import { type Exporter, run, startExporter } from '../support/exporter.js';
import { quietPort, until } from '../support/live.js';

const canaries = createCanaries();
let host: SecretHost;
/** Outputs, and where they come from. */
const said: [by: string, text: string][] = [];

const leaks = () =>
  said.flatMap(([by, text]) => canaries.leaks(text).map((where) => `${where}: ${by}: ${excerpt(text, where)}`));

function excerpt(text: string, where: string): string {
  const line = text.split('\n').find((one) => canaries.leaks(one).includes(where)) ?? '';
  const at = line.search(/cAnArY/i);
  return line.slice(Math.max(0, at - 100), at + 40);
}

/** For a test that fails before it stops the exporter. */
function endAnyway({ pid, ended }: Exporter): Promise<unknown> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has already exited.
  }
  return ended;
}

async function crawl(exporter: Exporter, by: string): Promise<string> {
  const { instances } = await exporter.status();
  const paths = [
    ...[
      '/',
      '/metrics',
      '/api/v1/status',
      '/-/healthy',
      '/-/ready',
      '/-/reload',
      '/nope',
      '/?down&port=1',
      '/metrics/x',
    ],
    ...instances.flatMap(({ name }) => [
      `/instances/${encodeURIComponent(name)}`,
      `/api/v1/instances/${encodeURIComponent(name)}`,
    ]),
    ...['/instances/nobody', '/api/v1/instances/nobody', '/instances/%ff', '/%2e%2e/etc/passwd'],
  ];
  const accepts = ['text/html', 'text/plain', 'application/openmetrics-text; version=1.0.0', 'application/json'];
  let all = '';
  for (const path of paths)
    for (const accept of accepts) {
      const response = await exporter.get(path, { headers: { Accept: accept } });
      const text = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
      said.push([`${by} GET ${path} as ${accept}`, text]);
      all += text;
    }
  for (const path of paths)
    for (const method of ['POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS']) {
      const response = await exporter.get(path, { method });
      said.push([`${by} ${method} ${path}`, `${JSON.stringify([...response.headers])}\n${await response.text()}`]);
    }
  return all;
}

describe('secrets', () => {
  before(async () => {
    host = await startSecretHost(canaries, await Promise.all(Array.from({ length: 5 }, quietPort)));
  });
  after(() => host.stop());

  for (const format of ['logfmt', 'json'])
    it(`are on no route, in no log line (${format}) and not in the state file`, async (context) => {
      const exporter = await startExporter([
        ...[
          `--path.rootfs=${host.root}`,
          '--path.unchecked',
          `--config.file=${host.settings}`,
          '--web.enable-lifecycle',
        ],
        ...['--log.level=debug', `--log.format=${format}`, '--collector.nodejs', '--scan.freshness=1h'],
      ]);
      context.after(() => endAnyway(exporter));
      const seen = await crawl(exporter, 'serve');
      // Proves that all of it was read.
      for (const config of [...host.configs, '/etc/filebeat/unit.yml', '/etc/declared.yml'])
        assert.ok(seen.includes(config), config);
      const good = readFileSync(host.settings);
      host.spoilSettings();
      process.kill(exporter.pid, 'SIGHUP');
      await until('the bad settings are refused', () => exporter.log().includes('settings not reloaded'));
      const reload = await exporter.get('/-/reload', { method: 'POST' });
      said.push(['reload of bad settings', await reload.text()]);
      writeFileSync(host.settings, good);
      for (const name of readdirSync(exporter.folder))
        said.push([`state file ${name}`, readFileSync(join(exporter.folder, name), 'utf8')]);
      await exporter.stop();
      said.push([`log (${format})`, exporter.log()]);
      assert.ok(said.some(([by, text]) => by.startsWith('state file') && text.includes('full.yml')));
      assert.deepEqual(leaks(), []);
    });

  it('are in no response and no log line with basic auth', async (context) => {
    const exporter = await startExporter([`--web.config.file=${host.web}`, '--log.level=debug']);
    context.after(() => endAnyway(exporter));
    const password = canaries.plant('a password that is tried');
    const headers = { Authorization: `Basic ${Buffer.from(`scraper:${password}`).toString('base64')}` };
    for (const path of ['/', '/metrics', '/-/healthy', '/-/reload', '/nope'])
      for (const method of ['GET', 'POST', 'DELETE']) {
        const response = await exporter.get(path, { method, headers });
        assert.equal(response.status, 401);
        said.push([
          `${method} ${path} without leave`,
          `${JSON.stringify([...response.headers])}${await response.text()}`,
        ]);
      }
    host.spoilWeb();
    await until('the bad web configuration is refused', async () => {
      await (await exporter.get('/')).text();
      return exporter.log().includes('web configuration not reloaded');
    });
    await exporter.stop();
    said.push(['log with users', exporter.log()]);
    const refused = await run([
      'serve',
      `--web.config.file=${host.web}`,
      '--web.listen-address=127.0.0.1:0',
      '--state.file=',
    ]);
    assert.equal(refused.code, 2);
    said.push(['start with a bad web configuration', refused.stdout + refused.stderr]);
    assert.deepEqual(leaks(), []);
  });

  it('are in the output of no command', async () => {
    const flags = [
      `--path.rootfs=${host.root}`,
      '--path.unchecked',
      `--config.file=${host.settings}`,
      '--log.level=debug',
    ];
    const state = '--state.file=';
    const releases = [[], ['--filebeat-release', '6.8'], ['--filebeat-release', '7.17']];
    const full = host.commandLines[0]!;
    const commands: string[][] = [
      ['check', ...flags, state],
      ['check', '--json', ...flags, state],
      ['check', '--quiet', '--log.format=json', ...flags, state],
      ['metrics', ...flags, state],
      ['metrics', '--collector.nodejs', ...flags, state],
      ...releases.flatMap((release) => [
        ['explain', ...release, ...flags, state],
        ['explain', '--json', ...release, ...flags, state],
      ]),
      ['explain', '--against-host', '--json', ...flags, state],
      ['explain', '--compare-release', '8.0', ...flags, state],
      ['explain', '--compare-release', '7.17', '--json', ...flags, state],
      ...host.pids.slice(0, 3).map((pid) => ['explain', '--pid', `${pid}`, ...flags, state]),
      ...host.commandLines.slice(0, 8).map((argv) => ['explain', '--env', host.env[0]!, '--cwd', '/', '--', ...argv]),
      ['explain', '--json', '--env', host.env[0]!, '--', ...full],
      ['explain', '--compare-release', '9.0', '--env', host.env[0]!, '--', ...full],
      ['forget', 'nobody', ...flags.slice(1), state],
      ...['--log.level', '--scan.grace', '--web.listen-address', '--web.max-requests', '--quiet', '--env'].map(
        (flag) => [`${flag}=${canaries.plant(`value of the exporter’s own ${flag}`)}`],
      ),
      [canaries.plant('unknown command')],
      ['check', canaries.plant('unknown word')],
    ];
    for (const words of commands) {
      const { code, stdout, stderr } = await run(words);
      assert.ok(code !== null && code <= 3, `${words.slice(0, 3)} ended with ${code}: ${stderr}`);
      said.push([words.slice(0, 4).join(' ').slice(0, 60), stdout + stderr]);
    }
    host.spoilSettings();
    for (const command of ['check', 'metrics', 'explain', 'serve']) {
      const { code, stdout, stderr } = await run([command, `--config.file=${host.settings}`, state]);
      assert.equal(code, command === 'check' ? 3 : 2);
      said.push([`${command} with bad settings`, stdout + stderr]);
    }
    assert.deepEqual(leaks(), []);
    assert.ok(canaries.count >= 50, `${canaries.count}`);
    console.log(`# canaries: ${canaries.count} planted, ${said.length} answers and logs crawled, 0 found`);
  });
});
