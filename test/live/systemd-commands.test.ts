/** Runs the commands of the documents as root on a machine with the package and a Filebeat. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/live.js';
import { scrapeMachine } from '../support/machine-exporter.js';
import { configureFilebeat, installFilebeat, templateUnit } from '../support/machine-filebeat.js';
import { needsProgram } from '../support/needs.js';
import { boot, type Machine, needsSystemd } from '../support/systemd.js';
import { udpConfig } from '../support/world.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const name = 'filebeat-port-exporter';
const read = (path: string) => readFileSync(join(top, path), 'utf8');

/** Lines of `sh` blocks, and indented lines that begin with the program; without commands for a checkout. */
function commandsOf(page: string): string[] {
  const text = read(page);
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) => block!.split('\n'));
  const indented = [...text.matchAll(/^(?: {4}|# {1,3})(filebeat-port-exporter .*)$/gm)].map(([, line]) => line!);
  return [...blocks, ...indented].filter((line) => line !== '' && !/^(npm|node|[A-Z_]+=\S+ .*node) /.test(line));
}

/** Commands that do not exit with 0 here, and why. */
const otherEnds: readonly [RegExp, readonly number[]][] = [
  // Ports are learned only after minutes, so nothing of that name is known.
  [/ forget core-switches /, [2]],
  // The exit code says that something would change.
  [/ explain /, [0, 1, 3]],
];

/** Starts it, sends SIGTERM once it listens, and exits with its exit code. */
const untilItListens = (command: string) => `
  : >/tmp/said
  ${command} 2>>/tmp/said &
  until grep -q msg=listening /tmp/said || ! kill -0 $!; do sleep 0.1; done
  cat /tmp/said >&2
  kill -TERM $!
  wait $!`;

describe('commands of the documents', needsSystemd, () => {
  const folder = mkdtempSync(join(tmpdir(), 'commands-'));
  let machine: Machine;
  const make = (kind: string) => {
    execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, kind], { stdio: 'pipe' });
    const file = readdirSync(folder).find((one) => one.endsWith(`.${kind}`))!;
    machine.write(`/srv/package.${kind}`, readFileSync(join(folder, file)));
  };
  before(async () => {
    machine = await boot();
    make('deb');
    machine.sh('dpkg --force-depends --install /srv/package.deb 2>&1');
    machine.write(`/etc/default/${name}`, 'ARGS="--web.enable-lifecycle"\n');
    installFilebeat(machine);
    machine.write('/etc/systemd/system/filebeat@.service', templateUnit);
    configureFilebeat(machine, 'core', ['127.0.0.1:9001']);
    configureFilebeat(machine, 'NAME', ['127.0.0.1:9002']);
    for (const file of ['new.yml', 'filebeat.yml']) machine.write(`/srv/here/${file}`, udpConfig([':9009']), 0o600);
    for (const file of ['examples/exporter.yml', `examples/systemd/${name}.service`])
      machine.write(`/srv/here/${file}`, read(file));
    machine.write('/srv/here/exporter.yml', 'ports: [6984]\nlegacy_port_metric: true\n');
    machine.sh(`
      mkdir -p /host /state /var/lib/node_exporter
      mount --bind / /host
      systemctl daemon-reload
      systemctl enable --now filebeat@core
      systemctl restart ${name}`);
    scrapeMachine(machine);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await machine?.stop();
  });

  /** Instances that are only remembered. */
  async function rememberName(): Promise<void> {
    machine.sh('systemctl start filebeat@NAME');
    await until('it is seen', () => scrapeMachine(machine).value('filebeat_instance_up', { name: 'NAME' }) === 1);
    machine.sh('systemctl stop filebeat@NAME');
  }

  const pages = [
    ...readdirSync(join(top, 'docs'))
      .filter((one) => one.endsWith('.md'))
      .map((one) => `docs/${one}`),
    'README.md',
    'examples/exporter.yml',
  ];
  for (const page of pages)
    for (const command of commandsOf(page))
      it(`${page}: ${command}`, command.startsWith('curl') ? needsProgram('curl') : {}, async () => {
        if (command.includes('NAME')) await rememberName();
        const serves = /^filebeat-port-exporter( serve)?( --|$)/.test(command);
        // The service holds the port.
        if (serves) machine.sh(`systemctl stop ${name}.socket ${name}`);
        const said = machine.try(`cd /srv/here; ${serves ? untilItListens(command) : command}`);
        // Also during its first scan.
        const ends = serves ? [0] : (otherEnds.find(([of]) => of.test(command))?.[1] ?? [0]);
        assert.ok(ends.includes(said.status ?? -1), `${said.status}: ${said.stderr}`);
        if (serves) {
          assert.match(said.stderr, /msg=listening/);
          machine.sh(`systemctl start ${name}`);
        }
        if (command.includes('NAME'))
          await until(
            'it is forgotten',
            () => scrapeMachine(machine).value('filebeat_instance_up', { name: 'NAME' }) === undefined,
          );
      });

  it('docs/permissions.md: the two lines give the service of any user exactly these capabilities', () => {
    const [, lines] = /```ini\n(.*?)```/s.exec(read('docs/permissions.md'))!;
    machine.write(
      '/etc/systemd/system/own.service',
      `[Service]\nUser=nobody\nExecStart=/usr/bin/${name} --web.listen-address=127.0.0.1:9200 --state.file=\n${lines}`,
    );
    machine.sh('systemctl daemon-reload; systemctl start own.service');
    assert.equal(scrapeMachine(machine, 'http://127.0.0.1:9200').value('filebeat_port_up', { name: 'core' }), 1);
    const status = machine.sh('cat /proc/$(systemctl show --value --property=MainPID own.service)/status');
    assert.match(status, /^CapEff:\s*0000000000080004$/m);
    machine.sh('systemctl stop own.service');
  });

  it(
    'docs/packages.md: the .rpm on systemd, and the command that removes its leftovers',
    needsProgram('rpmbuild'),
    () => {
      machine.sh(`systemctl stop ${name}.socket ${name}; dpkg --purge ${name} 2>&1`);
      make('rpm');
      machine.sh('rpm --force-debian --nodeps --install /srv/package.rpm 2>&1');
      const text = read('docs/packages.md');
      machine.sh(/presets: `(systemctl [^`]*)`/.exec(text)![1]!);
      assert.equal(scrapeMachine(machine).value('filebeat_port_up', { name: 'core' }), 1);
      machine.sh(`rpm --force-debian --erase ${name} 2>&1`);
      assert.equal(machine.sh('ss -Hltn "sport = 9117"'), '');
      for (const [, command] of /after `rpm -e`: (.*)\./.exec(text)![1]!.matchAll(/`([^`]+)`/g)) machine.sh(command!);
      const left = machine.try(
        `find /etc /usr /lib /var/lib -name '*${name}*'; getent passwd ${name}; getent group ${name}`,
      );
      assert.equal(left.stdout, '');
    },
  );
});
