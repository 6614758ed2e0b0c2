/** `explain` on a host with running stand-ins with real sockets. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { explainCli } from '../support/explain-cli.js';
import { freePort } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import { createWorld, udpConfig } from '../support/world.js';

const world = createWorld();
after(() => world.end());
const settings = world.write('settings.yml', 'discovery: {systemd: false}\n');
const release = ['--config.file', settings, '--filebeat-release', '9.6.0'];
const strict = '--strict.perms=false';

/** `filebeat -c FILE` with a data path of its own. */
const command = (file: string, name: string) => [
  '--',
  'filebeat',
  strict,
  '-c',
  file,
  '--path.home',
  world.folder,
  '--path.data',
  `${world.folder}/data/${name}`,
];

describe('explain --pid', () => {
  it('reads command line, directory and environment of a running process', async () => {
    const port = await freePort();
    world.write(
      'pid/filebeat.yml',
      `filebeat.inputs:\n- {type: udp, host: "127.0.0.1:\${PORT}"}\noutput.console.enabled: true\n`,
    );
    const one = await world.process({
      argv: ['filebeat', strict, '-c', 'filebeat.yml'],
      cwd: `${world.folder}/pid`,
      env: { PORT: String(port) },
      sockets: [`udp 127.0.0.1:${port}`],
    });
    const said = await explainCli([...release, '--pid', String(one.pid), '--against-host']);
    assert.match(said.out, new RegExp(`^pid ${one.pid}  filebeat.yml\\n`));
    assert.match(
      said.out,
      new RegExp(`becomes    udp 127.0.0.1:${port}\\n    collision  none`),
      'its own socket is none',
    );
    assert.match(said.out, /\$\{PORT\} is set in the environment/);
    assert.equal(said.code, 0, said.err);
  });

  it('reads files in the root of a container', rootOnly, async () => {
    const port = await freePort();
    world.write('root/etc/filebeat.yml', udpConfig([`127.0.0.1:${port}`]));
    const one = await world.process({
      argv: ['filebeat', strict, '-c', '/etc/filebeat.yml'],
      root: `${world.folder}/root`,
    });
    const said = await explainCli([...release, '--pid', String(one.pid)]);
    assert.match(said.out, /declared {3}\/etc\/filebeat\.yml:3/);
    assert.equal(said.code, 0, said.err);
  });
});

describe('explain --against-host', () => {
  it('names the process and instance that hold the endpoint, and where they declare it', async () => {
    const [taken, free] = [await freePort(), await freePort()];
    const other = await world.filebeat('against-other', [`127.0.0.1:${taken}`]);
    const mine = world.write('against-mine.yml', udpConfig([`:${taken}`, `127.0.0.1:${free}`]));
    const said = await explainCli([...release, '--against-host', ...command(mine, 'against-mine')]);
    assert.match(
      said.out,
      new RegExp(
        `collision  127.0.0.1:${taken} is bound by pid ${other.pid} \\(filebeat\\), the instance “[^”]+” \\(${other.config}:3\\)`,
      ),
    );
    assert.match(said.out, new RegExp(`becomes    udp 127.0.0.1:${free}\\n    collision  none`));
    assert.equal(said.code, 1, said.err);
    const json = await explainCli([...release, '--json', '--against-host', ...command(mine, 'against-mine')]);
    const [collision] = JSON.parse(json.out).filebeats[0].listeners[0].collisions;
    assert.deepEqual(
      [collision.bound.pid, collision.bound.process, collision.declared_in],
      [other.pid, 'filebeat', `${other.config}:3`],
    );
  });

  it('names a process that is not a Filebeat', async () => {
    const port = await freePort();
    const stranger = await world.process({ argv: ['/usr/sbin/rsyslogd'], sockets: [`udp 127.0.0.1:${port}`] });
    const mine = world.write('stranger.yml', udpConfig([`127.0.0.1:${port}`]));
    const said = await explainCli([...release, '--against-host', ...command(mine, 'stranger')]);
    assert.match(said.out, new RegExp(`is bound by pid ${stranger.pid} \\(rsyslogd\\)\\n`));
    assert.equal(said.code, 1, said.err);
  });

  it('does not report an instance’s own sockets for its own command line', async () => {
    const port = await freePort();
    const one = await world.filebeat('own', [`127.0.0.1:${port}`]);
    const said = await explainCli([...release, '--against-host', ...command(one.config, 'own')]);
    assert.match(said.out, /collision {2}none/);
    assert.equal(said.code, 0, said.err);
  });

  it('reports a data path that a running instance uses', async () => {
    const [a, b] = [await freePort(), await freePort()];
    await world.filebeat('data', [`127.0.0.1:${a}`]);
    const mine = world.write('data-mine.yml', udpConfig([`127.0.0.1:${b}`]));
    const said = await explainCli([...release, '--against-host', ...command(mine, 'data')]);
    assert.match(said.out, /uses the same path\.data/);
  });
});

describe('explain of every instance', () => {
  it('shows each with its name, also under an older release', async () => {
    const port = await freePort();
    const one = await world.filebeat('every', [`127.0.0.1:${port}`], {
      text: `filebeat.inputs:\n- {type: udp, host: "127.0.0.1:${port}"}\n- {type: log, paths: [/x]}\noutput.console.enabled: true\n`,
    });
    const mine = async (flags: string[], list: string) => {
      const said = await explainCli([...flags, '--config.file', settings, '--json']);
      const found = JSON.parse(said.out)[list].find(({ pid }: { pid: number }) => pid === one.pid);
      return { ...found, exit: said.code };
    };
    const now = await mine(['--filebeat-release', '8.19.21'], 'filebeats');
    assert.equal(now.config, one.config);
    assert.ok(now.name.length > 0);
    assert.deepEqual([now.outcome, now.release.version, now.listeners[0].port], ['runs', '8.19.21', port]);
    const nine = await mine(['--filebeat-release', '9'], 'filebeats');
    assert.deepEqual([nine.outcome, nine.reason.code, nine.exit], ['exits', 'deprecated-input', 1]);
    const compared = await mine(['--filebeat-release', '8.19.21', '--compare-release', '9'], 'comparisons');
    assert.deepEqual([compared.answer, compared.lost[0].port, compared.exit], ['changes', port, 1]);
    assert.equal(compared.after.reason.at, `${one.config}:3`);
  });
});
