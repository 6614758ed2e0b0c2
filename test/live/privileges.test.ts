/** What each set of capabilities can see, on a /proc with and without hidepid: the rest is a gap, never a missing port. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StatusDocument } from '../../src/exporter/json/status-json.js';
import type { Gap, Socket } from '../../src/model/model.js';
import { at, freePort, quietPort } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import { startSender } from '../support/sender.js';
import { type StandIn, startStandIn } from '../support/stand-in.js';
import { readScrape } from '../support/text-format.js';
import { udpConfig } from '../support/world.js';

interface Told {
  filebeats: { pid: number; netns?: number; hostNetns?: boolean; cwd?: string; argv: string[]; env?: object }[];
  sockets: Socket[];
  undecided: unknown[];
  gaps: Gap[];
  hidden: boolean;
}

const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const rights: Record<string, string[]> = {
  nothing: [...NOBODY, '--inh-caps=-all', '--bounding-set=-all'],
  SYS_PTRACE: capabilities('+sys_ptrace'),
  DAC_READ_SEARCH: capabilities('+dac_read_search'),
  'SYS_PTRACE and DAC_READ_SEARCH': capabilities('+sys_ptrace,+dac_read_search'),
  root: [],
};

function capabilities(list: string): string[] {
  return [...NOBODY, `--inh-caps=-all,${list}`, `--ambient-caps=-all,${list}`, `--bounding-set=-all,${list}`];
}

/** `denied` gaps of the stand-in, whether it is seen, and whether the owner of its port is. */
const expected: Record<string, { denied: string[]; seen: boolean; owner: boolean }> = {
  'nothing, hidepid 0': { denied: ['cwd', 'environ', 'exe', 'fd', 'root'], seen: true, owner: false },
  'nothing, hidepid 2': { denied: [], seen: false, owner: false },
  'SYS_PTRACE, hidepid 0': { denied: ['environ', 'fd'], seen: true, owner: false },
  'SYS_PTRACE, hidepid 2': { denied: ['environ', 'fd'], seen: true, owner: false },
  'DAC_READ_SEARCH, hidepid 0': { denied: ['cwd', 'environ', 'exe', 'fd', 'root'], seen: true, owner: false },
  'DAC_READ_SEARCH, hidepid 2': { denied: [], seen: false, owner: false },
  'SYS_PTRACE and DAC_READ_SEARCH, hidepid 0': { denied: [], seen: true, owner: true },
  'SYS_PTRACE and DAC_READ_SEARCH, hidepid 2': { denied: [], seen: true, owner: true },
  'root, hidepid 0': { denied: [], seen: true, owner: true },
  'root, hidepid 2': { denied: [], seen: true, owner: true },
};

/** In some sandboxes even root cannot inspect pid 1, and hidepid hides it from everybody. */
function canSeeInit(): boolean {
  try {
    return readlinkSync('/proc/1/ns/net') !== '';
  } catch {
    return false;
  }
}

describe('privileges', rootOnly, () => {
  let folder: string;
  let one: StandIn;
  let port: number;
  before(async () => {
    // User nobody must be able to read the program.
    folder = mkdtempSync(join(tmpdir(), 'fpe-rights-'));
    execFileSync('chmod', ['755', folder]);
    const built = fileURLToPath(new URL('../../', import.meta.url));
    cpSync(built, join(folder, 'dist'), { recursive: true });
    cpSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), join(folder, 'package.json'));
    symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
    port = await freePort();
    one = await startStandIn({
      argv: ['filebeat', '-c', 'x.yml'],
      env: { A: '1' },
      sockets: [`udp 127.0.0.1:${port}`],
    });
  });
  after(async () => {
    await one?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function look(set: string, hidepid: number): Told {
    return JSON.parse(run(set, hidepid, ['dist/test/support/probe.js', join(folder, 'proc'), `${port}`]));
  }

  /** Runs a script of the copy with these capabilities; returns its output. */
  function run(set: string, hidepid: number, [file, ...args]: [string, ...string[]]): string {
    const probe = [process.execPath, join(folder, file), ...args];
    const script = 'mkdir -p "$1" && mount -t proc -o "hidepid=$2" proc "$1" && shift 2 && exec "$@"';
    const command = rights[set]!.length > 0 ? ['setpriv', ...rights[set]!, ...probe] : probe;
    const words = ['-m', 'sh', '-c', script, 'sh', join(folder, 'proc'), `${hidepid}`, ...command];
    // The exit code of `check` depends on what it found.
    return spawnSync('unshare', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
  }

  for (const [title, { denied, seen, owner }] of Object.entries(expected))
    it(`${title}: ${seen ? 'the Filebeat is seen' : 'the Filebeat is a gap'}; the port is bound in any case`, () => {
      const [set, hidepid] = title.split(', hidepid ') as [string, string];
      const told = look(set, Number(hidepid));
      const found = told.filebeats.find(({ pid }) => pid === one.pid);
      assert.equal(found !== undefined, seen);
      if (!seen || canSeeInit()) assert.equal(told.hidden, !seen);
      if (!seen) assert.ok(told.gaps.some(({ reason, subject }) => reason === 'denied' && subject === '/proc'));
      const mine = told.gaps.filter(({ subject }) => subject.startsWith(`/proc/${one.pid}/`));
      assert.deepEqual(
        mine.map(({ reason, subject }) => `${reason} ${subject.split('/').at(-1)}`).sort(),
        denied.map((name) => `denied ${name}`),
      );
      // Whatever is hidden, the socket and its uid are known, and no port is missing.
      const [row, ...others] = at(told as never, port);
      assert.ok(row && others.length === 0);
      assert.deepEqual([row.address, row.uid, row.drops, told.undecided], ['127.0.0.1', 0, 0, []]);
      assert.deepEqual(
        row.owners.map(({ pid }) => pid),
        owner ? [one.pid] : [],
      );
      assert.equal(row.ownersKnown, owner);
      if (found) assert.deepEqual([found.hostNetns, found.argv], [true, ['filebeat', '-c', 'x.yml']]);
    });

  it('without any, a visible owner is named on the port of a Filebeat that is not visible, and no other', async () => {
    const [robbed, served] = [await quietPort(), await quietPort()];
    const config = join(folder, 'robbed.yml');
    writeFileSync(config, udpConfig([`127.0.0.1:${robbed}`, `127.0.0.1:${served}`]));
    chmodSync(dirname(one.executable), 0o711);
    const thief = await startStandIn({ argv: ['thief'], uid: 65534, gid: 65534, sockets: [`udp 127.0.0.1:${robbed}`] });
    const argv = ['filebeat', '-c', config, '--path.home', folder, '--path.data', join(folder, 'robbed')];
    const filebeat = await startStandIn({ argv, cwd: folder, sockets: [`udp 127.0.0.1:${served}`] });
    try {
      const flags = ['--path.procfs', join(folder, 'proc'), '--state.file', ''];
      const status: StatusDocument = JSON.parse(
        run('nothing', 0, ['dist/src/main.js', 'check', '--json', '--scan.grace=0s', ...flags]),
      );
      const told = status.ports.filter((one) => one.config === config);
      assert.deepEqual(
        told.map(({ port, up, status: word, owners }) => [port, up, word, owners.map(({ pid }) => pid)]),
        [
          [robbed, false, 'taken', [thief.pid]],
          [served, true, 'owner_hidden', []],
        ].sort(([a], [b]) => Number(a) - Number(b)),
      );
      const codes = status.mismatches.filter((one) => one.config === config).map(({ code, port }) => [code, port]);
      assert.deepEqual(codes, [
        ['port_taken', robbed],
        ['owner_hidden', served],
      ]);
      assert.ok(status.gaps.some(({ reason, subject }) => reason === 'denied' && subject === '/proc/*/fd'));
    } finally {
      await Promise.all([filebeat.stop(), thief.stop()]);
    }
  });

  describe('through the whole program', () => {
    const started: StandIn[] = [];
    let filebeats: Record<'open' | 'closed', { config: string; port: number; pid: number }>;
    let settings: string;
    let lost: number;
    before(async () => {
      const start = async (name: string, mode: number) => {
        const at = await quietPort();
        const config = join(folder, `${name}.yml`);
        writeFileSync(config, udpConfig([`127.0.0.1:${at}`]));
        chmodSync(config, mode);
        const argv = ['filebeat', '-c', config, '--path.home', folder, '--path.data', join(folder, name)];
        const it = await startStandIn({ argv, cwd: folder });
        started.push(it);
        return {
          it,
          argv,
          fd: await it.bind(`udp 127.0.0.1:${at}`, { receiveBuffer: 4096 }),
          config,
          port: at,
          pid: it.pid,
        };
      };
      const open = await start('open', 0o644);
      filebeats = { open, closed: await start('closed', 0o600) };
      settings = join(folder, 'exporter.yml');
      writeFileSync(settings, `instances:\n- name: open\n  argv: ${JSON.stringify(open.argv)}\n`);
      // Some datagrams are dropped, one is queued.
      const sender = await startSender();
      await sender.send(open.port, 50);
      lost = 50 - (await open.it.receive(open.fd, 50));
      await sender.send(open.port, 1);
      await sender.stop();
      assert.ok(lost > 0);
    });
    after(() => Promise.all(started.map((one) => one.stop())));

    for (const [title, { seen, owner, denied }] of Object.entries(expected))
      it(`${title}: nothing that exists is reported as down, and everything not visible is a gap`, (context) => {
        const [set, hidepid] = title.split(', hidepid ') as [string, string];
        const flags = ['--path.procfs', join(folder, 'proc'), '--config.file', settings, '--state.file', ''];
        const scrape = readScrape(run(set, Number(hidepid), ['dist/src/main.js', 'metrics', ...flags]));
        const status: StatusDocument = JSON.parse(
          run(set, Number(hidepid), ['dist/src/main.js', 'check', '--json', ...flags]),
        );
        const { open, closed } = filebeats;
        const ofOpen = { config: open.config };
        const ofClosed = { config: closed.config };
        // One instance is known only by its process, the other by the settings too.
        assert.equal(scrape.value('filebeat_instance_up', ofOpen), seen ? 1 : undefined);
        assert.equal(scrape.value('filebeat_instance_up', ofClosed), seen ? 1 : undefined);
        const reads = seen && /DAC|root/.test(set);
        const ports = status.ports.filter(({ config }) => config === open.config || config === closed.config);
        assert.deepEqual(
          ports.map(({ name, up, status: word, owners }) => [name, up, word, owners.map(({ pid }) => pid)]),
          (reads ? (['closed', 'open'] as const) : (['open'] as const)).map((name) =>
            owner ? [name, true, 'listening', [filebeats[name].pid]] : [name, true, 'owner_hidden', []],
          ),
        );
        // Whatever is hidden: bound, queue and drops are known.
        assert.equal(scrape.value('filebeat_port_up', ofOpen), 1);
        assert.equal(scrape.value('filebeat_port_drops_total', ofOpen), lost);
        assert.ok(scrape.value('filebeat_port_receive_queue_bytes', ofOpen)! > 0);
        const told = status.mismatches.filter(({ config }) => config === open.config || config === closed.config);
        const hidden = owner ? [] : [...(reads ? ['closed owner_hidden'] : []), 'open owner_hidden'];
        assert.deepEqual(
          told.map(({ name, code }) => `${name} ${code}`).sort(),
          [...(seen && !reads ? ['closed config_unreadable'] : []), ...hidden].sort(),
        );
        for (const { code, seen: what } of told)
          if (code === 'owner_hidden') assert.equal(what, 'a socket of user id 0 without a visible owner');
        // Nothing else is missing.
        const of = (pid: number) => status.gaps.filter(({ subject }) => subject.startsWith(`/proc/${pid}/`));
        for (const { pid } of [open, closed]) assert.deepEqual(of(pid).map(lastPart).sort(), denied);
        assert.equal(
          status.gaps.some(({ subject }) => subject === closed.config),
          seen && !reads,
        );
        if (!seen) assert.ok(status.gaps.some(({ subject }) => subject === '/proc'));
        const counted = scrape.value('filebeat_port_exporter_gaps', { reason: 'denied' })!;
        if (!owner) assert.ok(counted >= (seen ? 2 * denied.length : 1), `${counted}`);
        context.diagnostic(
          `0 told as down, ${of(open.pid).length + of(closed.pid).length} gaps about the two Filebeats`,
        );
      });
  });
});

const lastPart = ({ subject }: { subject: string }) => subject.split('/').at(-1)!;
