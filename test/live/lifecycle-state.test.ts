/** The state file of the real program: content, permissions, and operation without it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { type Exporter, run } from '../support/exporter.js';
import { argvOf, createHost, healthOf, type OwnHost, own } from '../support/lifecycle.js';
import { freePort } from '../support/live.js';
import { rootOnly } from '../support/needs.js';

const hosts: OwnHost[] = [];
const mounts: string[] = [];
const ownHost = () => {
  const host = createHost();
  hosts.push(host);
  return host;
};
afterEach(async () => {
  for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
  await Promise.all(hosts.splice(0).map((host) => host.end()));
});

/** Gaps about the state file; other processes on the machine have gaps of their own. */
async function gapsOf(exporter: Exporter, { stateFile }: OwnHost): Promise<string[]> {
  const { gaps } = await exporter.status();
  return gaps.flatMap(({ reason, subject, detail }) => (subject === stateFile ? [`${reason}: ${detail}`] : []));
}

describe('the state file', rootOnly, () => {
  it('contains no secret of argv, environment, configuration or unit, and neither does any output', async () => {
    const host = ownHost();
    const [port, edge] = [await freePort(), await freePort()];
    const text = `filebeat.inputs:
- {type: udp, host: "127.0.0.1:\${PORT_OF_IT}", fields: {key: swordfish-1}}
output.elasticsearch: {hosts: ["https://user:swordfish-2@example.org"], password: swordfish-3, headers: {X-Key: "\${API_KEY}"}}
`;
    host.write('/etc/filebeat/secret.yml', text, 60);
    host.write('/etc/filebeat/broken.yml', `${text}  - : swordfish-4: [\n`, 60);
    host.write(
      '/etc/systemd/system/unit-secret.service',
      `[Service]
Environment=API_KEY=swordfish-5 PORT_OF_IT=${edge}
ExecStart=${argvOf('unit-secret').join(' ')} -E output.elasticsearch.password=swordfish-6
[Install]
WantedBy=multi-user.target
`,
    );
    host.write('/etc/filebeat/unit-secret.yml', text, 60);
    host.enable('unit-secret.service');
    host.write(
      '/exporter.yml',
      `instances: [{name: by-hand, argv: [filebeat, -c, /etc/filebeat/secret.yml, -E, "x=swordfish-7"], env: {API_KEY: swordfish-8}}]\n`,
    );
    const env = { API_KEY: 'swordfish-9', PORT_OF_IT: String(port), OTHER: 'swordfish-10' };
    const argv = (name: string) => [...argvOf(name), '-E', 'output.elasticsearch.password=swordfish-11'];
    const filebeat = await host.start('secret', [`udp 127.0.0.1:${port}`], { argv: argv('secret'), env });
    await host.start('broken', [], { argv: argv('broken'), env });
    const settings = `--config.file=${host.root}/exporter.yml`;
    const exporter = await host.exporter(settings, '--log.level=debug');
    const shown: string[] = [];
    const look = async () => {
      for (const path of ['/metrics', '/api/v1/status', '/', '/instances/by-hand', '/instances/broken'])
        shown.push(await (await exporter.get(path)).text());
      shown.push(host.state()!);
    };
    await look();
    await filebeat.kill();
    await look();
    for (const command of ['check', 'metrics']) shown.push((await run([command, ...host.flags, settings])).stdout);
    await exporter.stop();
    shown.push(exporter.log(), host.state()!);
    for (const one of shown) assert.doesNotMatch(one, /swordfish|example\.org/);
    // All of it was read: the port comes from the environment, and the fault is reported.
    assert.match(shown[0]!, new RegExp(`filebeat_port_up\\{name="unit-secret",[^}]*port="${edge}"`));
    assert.match(shown[0]!, new RegExp(`filebeat_port_up\\{name="by-hand",[^}]*port="${port}"`));
    assert.match(shown[1]!, /"code":\s*"config_invalid"/);
    assert.equal(statSync(host.stateFile).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dirname(host.stateFile)), ['state.json']);
  });

  it('in a directory that cannot be written gives one gap and one log line, and nothing is remembered after a restart', async () => {
    const host = ownHost();
    const port = await freePort();
    host.configure(own('without'), [`127.0.0.1:${port}`], 60);
    const directory = dirname(host.stateFile);
    mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'none', directory]);
    mounts.push(directory);
    const filebeat = await host.start(own('without'), [`udp 127.0.0.1:${port}`]);
    const exporter = await host.exporter();
    for (let looks = 0; looks < 3; looks++) {
      const scrape = await exporter.scrape();
      assert.equal(healthOf(scrape, own('without')), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`);
      assert.equal(scrape.value('filebeat_port_exporter_scan_success'), 1);
    }
    assert.ok((await exporter.scrape()).value('filebeat_port_exporter_gaps', { reason: 'denied' })! >= 1);
    assert.deepEqual(await gapsOf(exporter, host), ['denied: cannot be written (EROFS)']);
    const lines = exporter
      .log()
      .split('\n')
      .filter((line) => line.includes('state.json'));
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /level=warn/);
    // It remembers as long as it runs.
    await filebeat.kill();
    assert.equal(healthOf(await exporter.scrape(), own('without')), `up=0 pid= udp 127.0.0.1:${port}=0`);
  });

  it('with invalid content is renamed, and everything goes on', async () => {
    const host = ownHost();
    const port = await freePort();
    host.configure(own('corrupt'), [`127.0.0.1:${port}`], 60);
    host.write('/var/lib/exporter/state.json', '{"version": 1, "instances": {');
    chmodSync(host.stateFile, 0o644);
    const filebeat = await host.start(own('corrupt'), [`udp 127.0.0.1:${port}`]);
    const exporter = await host.exporter();
    assert.equal(healthOf(await exporter.scrape(), own('corrupt')), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`);
    assert.match(readFileSync(`${host.stateFile}.corrupt`, 'utf8'), /^\{"version": 1, "instances": \{$/);
    assert.equal(statSync(host.stateFile).mode & 0o777, 0o600);
    assert.match(exporter.log(), /set aside/);
  });

  it('of a newer exporter is not overwritten', async () => {
    const host = ownHost();
    host.configure(own('newer'), [`127.0.0.1:${await freePort()}`], 60);
    const newer = '{"version": 99}\n';
    host.write('/var/lib/exporter/state.json', newer);
    await host.start(own('newer'), []);
    const exporter = await host.exporter();
    assert.match(healthOf(await exporter.scrape(), own('newer')), /^up=1/);
    assert.deepEqual(await gapsOf(exporter, host), ['malformed: is of version 99, newer than this exporter knows']);
    await exporter.stop();
    assert.equal(host.state(), newer);
    assert.equal((await run(['forget', ...host.flags, own('newer')])).code, 2);
    assert.equal(host.state(), newer);
  });

  it('is optional: with an empty path nothing is written', async () => {
    const host = ownHost();
    host.configure(own('nowhere'), [`127.0.0.1:${await freePort()}`], 60);
    await host.start(own('nowhere'), []);
    writeFileSync(`${host.root}/marker`, '');
    const exporter = await host.exporter('--state.file=');
    const scrape = await exporter.scrape();
    assert.match(healthOf(scrape, own('nowhere')), /^up=1/);
    assert.deepEqual(await gapsOf(exporter, host), []);
    assert.equal(host.state(), undefined);
  });
});
