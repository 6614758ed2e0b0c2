/** The READMEs: every command in them is run, and both languages have the same content. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load, loadAll } from 'js-yaml';
import { flagTable } from '../../src/cli/flags.js';
import { mismatchCodes, mismatches } from '../../src/model/mismatches.js';
import { parseSettings } from '../../src/settings/settings.js';
import { freePort, until } from '../support/live.js';
import { needs } from '../support/needs.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => readFileSync(join(top, name), 'utf8');
const english = read('README.md');
const chinese = read('README.zh-CN.md');
const blocks = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((m) => m[1]!);
const commandsIn = (text: string) =>
  blocks(text, 'sh').flatMap((block) =>
    block
      .split('\n')
      .map((line) => line.replace(/ +#.*/, '').trim())
      .filter((line) => line !== ''),
  );

/** A checkout after the first command: compiled, with dependencies. The original's `packages/` is not touched. */
const checkout = mkdtempSync(join(tmpdir(), 'checkout-'));
for (const name of readdirSync(top)) {
  if (name.startsWith('.') || name === 'packages') continue;
  if (name === 'node_modules' || name === 'fixtures') symlinkSync(join(top, name), join(checkout, name));
  else cpSync(join(top, name), join(checkout, name), { recursive: true, preserveTimestamps: true });
}
mkdirSync(join(checkout, 'state'));
const children: ChildProcess[] = [];
/** Ends the process group: what npm started may outlive npm. */
function killAll(): void {
  for (const { pid } of children.splice(0)) {
    try {
      process.kill(-pid!, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // The process group is gone.
    }
  }
}
after(() => {
  killAll();
  rmSync(checkout, { recursive: true, force: true, maxRetries: 5 });
});
// The test runner ends a file that takes too long.
process.once('SIGTERM', () => {
  killAll();
  process.exit(1);
});

/** Like a shell in the checkout, but with a state file of its own, so that Filebeats of other tests are not remembered. */
function start(command: string) {
  const child = spawn('bash', ['-c', `exec ${command}`], {
    cwd: checkout,
    env: { ...process.env, STATE_DIRECTORY: join(checkout, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said.stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, said, ended, interrupt: () => process.kill(-child.pid!, 'SIGINT') };
}

/** The expected result of each command. Those that run the whole test suite are left out. */
const proofs: Record<string, (command: string) => Promise<void>> = {
  async 'npm start'(command) {
    const port = await freePort();
    const one = start(`${command} -- --web.listen-address 127.0.0.1:${port} --state.file=`);
    const ask = () =>
      fetch(`http://127.0.0.1:${port}/metrics`).catch(() => {
        assert.equal(one.child.exitCode, null, one.said.stderr);
        return undefined;
      });
    // It may compile first.
    const answer = await until('it answers', ask, 180);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /^filebeat_port_exporter_scan_success 1$/m);
    one.interrupt();
    await one.ended;
  },
  async 'npm run --silent check'(command) {
    const { ended, said } = start(command);
    assert.ok([0, 1, 2, 3].includes((await ended)!), said.stderr);
    assert.match(said.stdout, /^(OK|WARNING|CRITICAL|UNKNOWN) - /m);
  },
  async 'npm run --silent check -- --json'(command) {
    const { ended, said } = start(command);
    await ended;
    assert.equal(typeof (JSON.parse(said.stdout) as { version: unknown }).version, 'string');
  },
  async 'npm run --silent metrics'(command) {
    const { ended, said } = start(command);
    assert.equal(await ended, 0, said.stderr);
    assert.match(said.stdout, /^filebeat_port_exporter_build_info\{/m);
  },
  async 'npm run --silent explain'(command) {
    const { ended, said } = start(command);
    assert.ok([0, 1, 3].includes((await ended)!), said.stderr);
    assert.equal(said.stderr, '');
  },
  async 'npm run --silent explain -- --compare-release 9'(command) {
    const { ended, said } = start(command);
    assert.ok([0, 1, 3].includes((await ended)!), said.stderr);
    assert.equal(said.stderr, '');
    assert.notEqual(said.stdout, '');
  },
  async 'npm run package'(command) {
    const { ended, said } = start(command);
    assert.equal(await ended, 0, said.stderr);
    assert.equal(readdirSync(join(checkout, 'packages')).length, 3);
  },
};
const suites: Record<string, string> = { 'npm test': 'test', 'npm run test:e2e': 'test:e2e' };

/** Undefined for a process that has exited, even if its parent has not reaped it. */
function readlinkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

describe('a command that a test aborts', () => {
  it('is ended with all processes that it started', async () => {
    const { said } = start("sh -c 'sleep 1000 & echo $!; wait'");
    const sleeper = await until('it has started', () => /\d+/.exec(said.stdout)?.[0]);
    killAll();
    await until('it has ended', () => !readlinkOf(`/proc/${sleeper}/exe`));
  });
});

describe('every command of the README', () => {
  it('is tested here, or runs the tests', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const command of commandsIn(english)) assert.ok(command in proofs || command in suites, command);
    for (const script of Object.values(suites)) assert.ok(script in scripts, script);
    for (const text of [english, chinese, read('CONTRIBUTING.md')])
      for (const [, script = ''] of text.matchAll(/npm run (?:--silent )?([\w:]+)/g))
        assert.ok(script in scripts, script);
  });

  for (const [command, prove] of Object.entries(proofs)) {
    const packing = command === 'npm run package';
    it(command, packing ? needs('dpkg-deb and rpmbuild', hasTools) : {}, async () => {
      assert.ok(commandsIn(english).includes(command), 'the README has it');
      await prove(command);
    });
  }
});

function hasTools(): boolean {
  try {
    for (const program of ['dpkg-deb', 'rpmbuild']) execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the Chinese README', () => {
  it('has the same commands, links and alerts as the English one', () => {
    assert.deepEqual(commandsIn(chinese), commandsIn(english));
    assert.ok(blocks(chinese, 'yaml').includes(blocks(english, 'yaml')[0]!));
    const links = (text: string) => new Set([...text.matchAll(/\]\(([^)]+)\)/g)].map((m) => m[1]!));
    for (const link of links(english)) if (!/^README/.test(link)) assert.ok(links(chinese).has(link), link);
  });

  it('has every code with its severity', () => {
    const words = { critical: '严重', warning: '警告', info: '信息' };
    const rows = [...chinese.matchAll(/^\| `(\w+)` \| (\S+) \|/gm)].map(([, code, severity]) => [code, severity]);
    assert.deepEqual(
      rows,
      mismatchCodes.map((code) => [code, words[mismatches[code].severity]]),
    );
  });

  it('has settings that are accepted', () => {
    const settings = blocks(chinese, 'yaml').filter((yaml) => yaml.startsWith('ports:'));
    assert.equal(settings.length, 1);
    assert.ok(parseSettings(Buffer.from(settings[0]!), 'README.zh-CN.md').ok);
  });
});

describe('the examples for clusters and fleets', () => {
  const flagsIn = (text: string) => [...text.matchAll(/--([a-z][\w.]*)(?==)/g)].map((m) => m[1]!);

  it('the DaemonSet sees the host’s processes, has the two capabilities, and can write nothing but its state', () => {
    interface Container {
      args: string[];
      securityContext: Record<string, unknown>;
      volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
    }
    const [set] = loadAll(read('examples/kubernetes/daemonset.yml')) as {
      kind: string;
      spec: { template: { spec: { hostPID: boolean; hostNetwork?: boolean; containers: Container[] } } };
    }[];
    assert.equal(set!.kind, 'DaemonSet');
    const pod = set!.spec.template.spec;
    assert.equal(pod.hostPID, true);
    assert.equal(pod.hostNetwork, undefined);
    const [{ args, securityContext, volumeMounts }] = pod.containers as [Container];
    assert.deepEqual(securityContext['capabilities'], { drop: ['ALL'], add: ['SYS_PTRACE', 'DAC_READ_SEARCH'] });
    assert.equal(securityContext['readOnlyRootFilesystem'], true);
    assert.equal(securityContext['allowPrivilegeEscalation'], false);
    assert.deepEqual(
      volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath),
      ['/state'],
    );
    const container = /^CMD (\[.*\])$/m.exec(read('examples/container/Containerfile'))![1]!;
    assert.deepEqual(args, JSON.parse(container));
    for (const flag of args.flatMap(flagsIn)) assert.ok(flag in flagTable, flag);
  });

  it('the playbook installs what is made, gives flags that exist and settings that are accepted', () => {
    const text = read('examples/ansible/filebeat-port-exporter.yml');
    const [play] = load(text) as { vars: Record<string, string>; tasks: Record<string, Record<string, string>>[] }[];
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.equal(play!.vars['exporter_version'], version);
    const contents = play!.tasks.flatMap((task) => task['ansible.builtin.copy']?.['content'] ?? []);
    for (const content of contents) for (const flag of flagsIn(content)) assert.ok(flag in flagTable, flag);
    const settings = contents.find((content) => content.startsWith('discovery:'))!;
    assert.ok(parseSettings(Buffer.from(settings), 'playbook').ok);
    for (const file of ['_{{ exporter_version }}_all.deb', '-{{ exporter_version }}-1.noarch.rpm'])
      assert.ok(text.includes(`filebeat-port-exporter${file}`), file);
  });
});
