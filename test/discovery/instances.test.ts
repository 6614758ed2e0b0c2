import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../src/discovery/instances/candidate.js';
import { identityOf, networkKey } from '../../src/discovery/instances/identity.js';
import { mergeCandidates } from '../../src/discovery/instances/instances.js';
import type { FilebeatProcess, InstanceOrigin } from '../../src/model/model.js';

const base = (origin: InstanceOrigin, file: string, rest: Partial<Candidate>): Candidate => ({
  origin,
  root: '/',
  network: 'host',
  mainFiles: [file],
  pathData: '/var/lib/filebeat',
  config: file,
  ...rest,
});
const running = (pid: number, file: string, rest: Partial<Candidate> = {}): Candidate => {
  const facts: FilebeatProcess = {
    pid,
    startTicks: pid * 10,
    startTime: pid,
    comm: 'filebeat',
    uid: 0,
    executableDeleted: false,
    ...rest.process,
  };
  return base('process', file, { ...rest, process: facts });
};
const unit = (name: string, file: string, rest: Partial<Candidate> = {}) =>
  base('systemd', file, { unit: name, ...rest });
const declared = (declaredName: string, file: string, rest: Partial<Candidate> = {}) =>
  base('declared', file, { declaredName, ...rest });
const glob = (file: string): Candidate => {
  const { pathData: _, ...rest } = base('config_glob', file, {});
  return rest;
};
const remembered = (
  name: string,
  file: string,
  rest: Partial<Candidate> = {},
  origins: InstanceOrigin[] = ['process'],
) => {
  const one = base('remembered', file, rest);
  return { ...one, remembered: { id: identityOf(one), name, origins } };
};
/** `name: origins, pid` of each instance. */
const tell = (...candidates: Candidate[]) =>
  mergeCandidates(candidates).map(
    ({ name, origins, process }) => `${name}: ${origins.join(' ')}${process ? ` ${process.pid}` : ''}`,
  );

const core = '/etc/filebeat/core.yml';
const edge = '/etc/filebeat/edge.yml';

describe('candidates of the same Filebeat are one instance', () => {
  it('a process, its unit, a declaration, a pattern and the memory, strongest first', () => {
    const all = [
      remembered('sw', core),
      glob(core),
      declared('sw', core),
      unit('filebeat@core.service', core, { shouldRun: true }),
      running(7, core, { unit: 'filebeat@core.service' }),
    ];
    const [one, ...others] = mergeCandidates(all);
    assert.deepEqual(others, []);
    assert.deepEqual(one!.origins, ['process', 'systemd', 'declared', 'config_glob', 'remembered']);
    assert.deepEqual([one!.name, one!.unit, one!.process!.pid], ['sw', 'filebeat@core.service', 7]);
    assert.deepEqual(one!.rememberedAs, [one!.id]);
  });

  it('a unit that should run and has no process stays an instance', () => {
    assert.deepEqual(tell(unit('filebeat@core.service', core, { shouldRun: true })), ['core: systemd']);
  });

  it('a disabled unit makes no instance, but names its process', () => {
    const disabled = unit('filebeat@lab.service', core, { shouldRun: false });
    assert.deepEqual(tell(disabled), []);
    assert.deepEqual(tell(disabled, running(7, core, { unit: 'filebeat@lab.service' })), ['lab: process 7']);
  });

  it('a process belongs to its unit even if the unit was edited since', () => {
    const edited = unit('filebeat@core.service', edge, { shouldRun: true });
    assert.deepEqual(tell(edited, running(7, core, { unit: 'filebeat@core.service' })), ['core: process systemd 7']);
  });

  it('a process started by hand with the configuration of a unit is that instance', () => {
    const asked = unit('filebeat@core.service', core, { shouldRun: true });
    assert.deepEqual(tell(asked, running(7, core)), ['core: process systemd 7']);
    assert.deepEqual(mergeCandidates([asked, running(7, core)])[0]!.identity, { claim: 'user', outsideUnit: true });
  });

  it('a process in the control group of another unit is not that instance, but may be a declared one', () => {
    const asked = unit('filebeat@core.service', core, { shouldRun: true });
    const elsewhere = running(7, core, { unit: 'cron.service' });
    const merged = mergeCandidates([asked, elsewhere]);
    assert.deepEqual(tell(asked, elsewhere), ['core: systemd', 'core-filebeat: process 7']);
    assert.deepEqual(merged[1]!.identity, { imitates: { name: 'core', differs: 'unit' } });
    assert.equal(new Set(merged.map(({ id }) => id)).size, 2);
    assert.deepEqual(tell(declared('sw', core), elsewhere), ['sw: process declared 7']);
  });

  it('a process in a unit goes to its own unit even if its configuration is that of another', () => {
    const result = tell(
      unit('filebeat@a.service', core, { shouldRun: true }),
      unit('filebeat@b.service', core, { shouldRun: true, pathData: '/b' }),
      running(7, core, { unit: 'filebeat@b.service', pathData: '/b' }),
    );
    assert.deepEqual(result, ['a: systemd', 'b: process systemd 7']);
  });

  it('a process in the cgroup of an alias or an init script belongs to the unit', () => {
    const aliased = unit('filebeat.service', edge, { shouldRun: true, unitAliases: ['logs.service'] });
    assert.deepEqual(tell(aliased, running(7, core, { unit: 'logs.service' })), ['filebeat: process systemd 7']);
    const script = unit('filebeat', edge, { shouldRun: true });
    assert.deepEqual(tell(script, running(7, core, { unit: 'filebeat.service' })), ['filebeat: process systemd 7']);
  });

  it('a process belongs to its unit with RootDirectory', () => {
    const jailed = running(7, core, { unit: 'filebeat.service', root: '8:1/77' });
    assert.deepEqual(tell(unit('filebeat.service', core, { shouldRun: true }), jailed), [
      'filebeat: process systemd 7',
    ]);
  });

  it('a unit of the same name inside a container is another one', () => {
    const inside = running(7, core, { unit: 'filebeat.service', root: 'c1', container: 'c1', network: 'own' });
    assert.deepEqual(tell(unit('filebeat.service', core, { shouldRun: true }), inside), [
      'c1: process 7',
      'filebeat: systemd',
    ]);
  });

  it('of several Filebeats in one unit, the one in the unit file is the unit’s', () => {
    const result = tell(
      unit('filebeat@core.service', core, { shouldRun: true }),
      running(7, edge, { unit: 'filebeat@core.service' }),
      running(8, core, { unit: 'filebeat@core.service' }),
    );
    assert.ok(result.includes('core: process systemd 8'), result.join('; '));
    assert.equal(result.length, 2);
  });

  it('a file of a pattern belongs to any instance that reads it, wherever its data is', () => {
    const process = running(7, core, { mainFiles: ['/etc/filebeat/base.yml', core], pathData: '/elsewhere' });
    assert.deepEqual(tell(glob(core), process), ['base+core: process config_glob 7']);
    assert.deepEqual(tell(glob(edge), process), ['base+core: process 7', 'edge: config_glob']);
  });

  it('other main files, another data path or another root make another instance', () => {
    assert.equal(tell(running(7, core), running(8, edge)).length, 2);
    assert.equal(tell(running(7, core), running(8, core, { pathData: '/other' })).length, 2);
    assert.equal(tell(running(7, core), running(8, core, { root: 'c1', container: 'c1', network: 'own' })).length, 2);
    assert.equal(tell(running(7, core), running(8, core, { network: 'netns 5' })).length, 2);
  });
});

describe('several processes of one instance', () => {
  it('both are reported; the older has the name, the newer a number', () => {
    const result = mergeCandidates([
      running(9, core, { unit: 'filebeat@core.service' }),
      running(7, core, { unit: 'filebeat@core.service' }),
    ]);
    assert.deepEqual(
      result.map(({ name, process, duplicate }) => [name, process!.pid, duplicate]),
      [
        ['core', 7, undefined],
        ['core-2', 9, 2],
      ],
    );
    assert.equal(new Set(result.map(({ id }) => id)).size, 2);
  });

  it('a duplicate has the declared name of the first, with a number', () => {
    assert.deepEqual(tell(declared('sw', core), running(7, core), running(9, core)), [
      'sw: process declared 7',
      'sw-2: process 9',
    ]);
  });

  it('when the older one has ended the newer one is the instance', () => {
    const [before] = mergeCandidates([running(7, core), running(9, core)]);
    const [after] = mergeCandidates([running(9, core)]);
    assert.deepEqual([after!.id, after!.name], [before!.id, before!.name]);
  });
});

describe('the memory', () => {
  it('a remembered instance stays when nothing else expects it', () => {
    assert.deepEqual(tell(remembered('x', core)), ['x: remembered']);
  });

  it('an instance whose unit was edited continues its history', () => {
    const old = remembered('sw', core, { unit: 'filebeat@core.service' }, ['process', 'systemd']);
    const [one, ...others] = mergeCandidates([old, unit('filebeat@core.service', edge, { shouldRun: true })]);
    assert.deepEqual(others, []);
    assert.deepEqual([one!.name, one!.rememberedAs], ['sw', [old.remembered.id]]);
    assert.notEqual(one!.id, old.remembered.id);
  });

  it('a declared instance with other arguments continues its history', () => {
    const old = remembered('sw', core, {}, ['declared']);
    assert.deepEqual(tell(old, declared('sw', edge)), ['sw: declared remembered']);
  });

  it('a recreated network namespace continues the history, a second one does not', () => {
    const old = remembered('x', core, { network: 'netns 5' });
    assert.deepEqual(tell(old, running(7, core, { network: 'netns 6' })), ['x: process remembered 7']);
    assert.equal(
      tell(old, running(7, core, { network: 'netns 5' }), running(8, core, { network: 'netns 6' })).length,
      2,
    );
  });

  it('its own history comes before one it continues', () => {
    const own = remembered('new', edge, { unit: 'filebeat@core.service' });
    const old = remembered('old', core, { unit: 'filebeat@core.service' });
    const merged = mergeCandidates([old, own, unit('filebeat@core.service', edge, { shouldRun: true })]);
    const one = merged.find(({ origins }) => origins.includes('systemd'))!;
    assert.deepEqual([one.name, one.rememberedAs[0]], ['new', own.remembered.id]);
  });

  it('several Filebeats in one other unit are not mixed up', () => {
    const agent = { unit: 'elastic-agent.service', host: 'agentbeat' };
    const a = { ...agent, pathData: '/run/udp-default' };
    const b = { ...agent, pathData: '/run/netflow-default' };
    const result = tell(
      remembered('udp-default', core, a),
      remembered('netflow-default', core, b),
      running(7, core, b),
    );
    assert.deepEqual(result, ['netflow-default: process remembered 7', 'udp-default: remembered']);
  });
});

describe('identity', () => {
  it('the network is that of the container, of the unit, or the inode', () => {
    assert.equal(networkKey({ netns: 1, hostNetns: true, container: 'c' }), 'host');
    assert.equal(networkKey({ netns: 2, hostNetns: false, container: 'c' }), 'own');
    assert.equal(networkKey({ netns: 2, hostNetns: false, unit: 'filebeat.service' }), 'unit filebeat.service');
    assert.equal(networkKey({ netns: 2, hostNetns: false }), 'netns 2');
  });

  it('property: the same candidates in any order make the same instances, and every name is unique', () => {
    let state = 99;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
    const files = [core, edge, '/srv/a/filebeat.yml', '/srv/b/filebeat.yml'];
    const units = ['filebeat.service', 'filebeat@core.service', 'fb@core.service'];
    for (let run = 0; run < 300; run += 1) {
      const candidates = Array.from({ length: 1 + random(14) }, (_, n): Candidate => {
        const rest = {
          pathData: pick(['/var/lib/filebeat', '/d']),
          network: pick(['host', 'host', 'netns 5', 'netns 6']),
        };
        const inUnit = random(2) === 0 ? { unit: pick(units) } : {};
        switch (random(5)) {
          case 0:
            return running(n + 1, pick(files), { ...rest, ...inUnit });
          case 1:
            return unit(pick(units), pick(files), { pathData: rest.pathData, shouldRun: random(2) === 0 });
          case 2:
            return declared(`d${n}`, pick(files), { pathData: rest.pathData });
          case 3:
            return glob(pick(files));
          default:
            return remembered(`r${n}`, pick(files), { ...rest, ...inUnit }, [pick(['process', 'declared'])]);
        }
      });
      // The memory holds each identity once.
      const ids = candidates.map((one) => one.remembered?.id);
      for (let n = candidates.length - 1; n >= 0; n -= 1)
        if (ids[n] && ids.indexOf(ids[n]) < n) candidates.splice(n, 1);
      const told = (list: Candidate[]) => JSON.stringify(mergeCandidates(list).map(({ candidates: _, ...one }) => one));
      const first = told(candidates);
      const names = mergeCandidates(candidates).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      for (let shuffle = 0; shuffle < 3; shuffle += 1) {
        for (let i = candidates.length - 1; i > 0; i -= 1) {
          const j = random(i + 1);
          [candidates[i], candidates[j]] = [candidates[j]!, candidates[i]!];
        }
        assert.equal(told(candidates), first, `run ${run}`);
      }
      const pids = mergeCandidates(candidates).flatMap(({ process }) => process?.pid ?? []);
      assert.deepEqual(
        pids.sort(),
        candidates.flatMap(({ process }) => process?.pid ?? []).sort(),
        'every process is told once',
      );
    }
  });
});
