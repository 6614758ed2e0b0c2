/** What can be seen with which rights, on a /proc with and without hidepid: less is a gap, never a missing port. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Gap, Socket } from '../src/model.js';
import { at, freePort, rootOnly } from './support/live.js';
import { type StandIn, startStandIn } from './support/stand-in.js';

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
  'SYS_PTRACE and DAC_READ_SEARCH': capabilities('+sys_ptrace,+dac_read_search'),
  root: [],
};

function capabilities(list: string): string[] {
  return [...NOBODY, `--inh-caps=-all,${list}`, `--ambient-caps=-all,${list}`, `--bounding-set=-all,${list}`];
}

/** `denied` subjects of the stand-in, whether it is seen, and whether its port's owner is. */
const expected: Record<string, { denied: string[]; seen: boolean; owner: boolean }> = {
  'nothing, hidepid 0': { denied: ['cwd', 'environ', 'exe', 'fd', 'root'], seen: true, owner: false },
  'nothing, hidepid 2': { denied: [], seen: false, owner: false },
  'SYS_PTRACE, hidepid 0': { denied: ['environ', 'fd'], seen: true, owner: false },
  'SYS_PTRACE, hidepid 2': { denied: ['environ', 'fd'], seen: true, owner: false },
  'SYS_PTRACE and DAC_READ_SEARCH, hidepid 0': { denied: [], seen: true, owner: true },
  'SYS_PTRACE and DAC_READ_SEARCH, hidepid 2': { denied: [], seen: true, owner: true },
  'root, hidepid 0': { denied: [], seen: true, owner: true },
  'root, hidepid 2': { denied: [], seen: true, owner: true },
};

/** In some sandboxes pid 1 is out of reach even for root, and hidepid hides it from everybody. */
function canSeeInit(): boolean {
  try {
    return readlinkSync('/proc/1/ns/net') !== '';
  } catch {
    return false;
  }
}

describe('rights', rootOnly, () => {
  let folder: string;
  let one: StandIn;
  let port: number;
  before(async () => {
    // Nobody has to be able to read the program that looks.
    folder = mkdtempSync(join(tmpdir(), 'fpe-rights-'));
    execFileSync('chmod', ['755', folder]);
    const built = new URL('../', import.meta.url).pathname;
    cpSync(built, join(folder, 'dist'), { recursive: true });
    cpSync(new URL('../../package.json', import.meta.url).pathname, join(folder, 'package.json'));
    symlinkSync(new URL('../../node_modules', import.meta.url).pathname, join(folder, 'node_modules'));
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
    const probe = [process.execPath, join(folder, 'dist/test/support/probe.js'), join(folder, 'proc'), `${port}`];
    const script = 'mkdir -p "$1" && mount -t proc -o "hidepid=$2" proc "$1" && shift 2 && exec "$@"';
    const command = rights[set]!.length > 0 ? ['setpriv', ...rights[set]!, ...probe] : probe;
    const words = ['-m', 'sh', '-c', script, 'sh', join(folder, 'proc'), `${hidepid}`, ...command];
    return JSON.parse(execFileSync('unshare', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  for (const [title, { denied, seen, owner }] of Object.entries(expected))
    it(`${title}: ${seen ? 'the Filebeat is seen' : 'it is not seen, and that is said'}; the port is there in any case`, () => {
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
      // Whatever is hidden, the kernel's table and whose port it is by uid is told, and nothing is called missing.
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
});
