import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type NameSources, nameInstances } from '../../src/discovery/instances/names.js';

let counter = 0;
const at = (file: string, rest: Partial<NameSources> = {}): NameSources => ({
  id: rest.id ?? `id ${counter++}`,
  mainFiles: [file],
  pathData: '/var/lib/filebeat',
  ...rest,
});
const names = (...requests: NameSources[]) => {
  const found = nameInstances(requests);
  return requests.map(({ id }) => found.get(id));
};

/** Pseudo-random numbers below a bound, the same in every run. */
function generator(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('names of instances', () => {
  it('priority: declared, remembered, unit, container, paths', () => {
    const all = { declared: 'd', remembered: 'r', unit: 'filebeat@u.service', container: 'c' };
    const { declared: _, ...noD } = all;
    const { remembered: __, ...noR } = noD;
    const { unit: ___, ...noU } = noR;
    const name = (sources: Partial<NameSources>) => names(at('/etc/filebeat/p.yml', sources))[0];
    assert.deepEqual([name(all), name(noD), name(noR), name(noU), name({})], ['d', 'r', 'u', 'c', 'p']);
  });

  it('the name is the instance of a template unit, else the name of the unit', () => {
    const unit = (name: string) => names(at('/etc/filebeat/filebeat.yml', { unit: name }))[0];
    assert.equal(unit('filebeat@core.service'), 'core');
    assert.equal(unit('filebeat.service'), 'filebeat');
    assert.equal(unit('filebeat-edge.service'), 'filebeat-edge');
    assert.equal(unit('filebeat@net\\x2dcore.service'), 'net-core');
    assert.equal(unit('filebeat'), 'filebeat');
  });

  it('two templates with one instance name get their whole unit names', () => {
    const two = names(at('/a.yml', { unit: 'filebeat@core.service' }), at('/b.yml', { unit: 'fb-test@core.service' }));
    assert.deepEqual(two, ['filebeat@core', 'fb-test@core']);
  });

  it('the name is the file name if it is specific, else the directory, else the data path', () => {
    const name = (file: string, rest: Partial<NameSources> = {}) => names(at(file, rest))[0];
    assert.equal(name('/etc/filebeat/core.yml'), 'core');
    assert.equal(name('/etc/filebeat/filebeat.yml'), 'filebeat');
    assert.equal(name('/etc/filebeat-core/filebeat.yml'), 'filebeat-core');
    assert.equal(name('/srv/site7/conf/filebeat.yml'), 'site7');
    assert.equal(name('x', { mainFiles: ['/etc/filebeat/filebeat.yml', '/etc/filebeat/edge.yml'] }), 'edge');
    assert.equal(name('x', { mainFiles: ['/etc/filebeat/a.yml', '/etc/filebeat/b.yml'] }), 'a+b');
  });

  it('instances with one configuration differ by their data, those with equal file names by their directories', () => {
    const data = (pathData: string) => at('/etc/filebeat/filebeat.yml', { pathData });
    assert.deepEqual(names(data('/var/lib/filebeat-1'), data('/var/lib/filebeat-2')), [
      'filebeat-filebeat-1',
      'filebeat-filebeat-2',
    ]);
    assert.deepEqual(names(at('/srv/a/in.yml'), at('/srv/b/in.yml')), ['a-in', 'b-in']);
  });

  it("Elastic Agent's component is named after its run directory, its collector after itself", () => {
    const agent = (rest: Partial<NameSources>) =>
      names(at('/opt/Elastic/Agent/data/elastic-agent-9/components/filebeat.yml', rest))[0];
    assert.equal(
      agent({ host: 'agentbeat', pathData: '/opt/Elastic/Agent/data/elastic-agent-9/run/udp-default' }),
      'udp-default',
    );
    assert.equal(agent({ host: 'elastic-otel-collector' }), 'elastic-otel-collector');
  });

  it('of a unit and another instance that propose one name the unit gets it', () => {
    const stranger = at('/etc/filebeat/filebeat.yml', { pathData: '/tmp/x' });
    const unit = at('/etc/filebeat/filebeat.yml', { unit: 'filebeat.service' });
    assert.deepEqual(names(stranger, unit), ['filebeat-x', 'filebeat']);
  });

  it('a remembered name stays against newcomers of lower priority, and yields to a declaration or a unit', () => {
    const old = at('/a/core.yml', { remembered: 'core' });
    assert.deepEqual(names(old, at('/b/core.yml')), ['core', 'b-core']);
    assert.deepEqual(names(old, at('/b/x.yml', { declared: 'core' })), ['a-core', 'core']);
    assert.deepEqual(names(old, at('/b/core.yml', { unit: 'filebeat@core.service' })), ['a-core', 'core']);
    const ofUnit = at('/a/core.yml', { remembered: 'core', unit: 'fb@core.service' });
    assert.deepEqual(names(ofUnit, at('/b/core.yml', { unit: 'filebeat@core.service' })), ['core', 'filebeat@core']);
  });

  it('an instance of an ordinary user gets a free name, and its former name has no priority over the system', () => {
    const theirs = at('/home/eve/filebeat-core.yml', { account: 4242 });
    assert.deepEqual(names(theirs), ['filebeat-core']);
    const old = { ...theirs, remembered: 'filebeat-core' };
    const unit = at('/etc/filebeat/core.yml', { unit: 'filebeat-core.service' });
    assert.deepEqual(names(old, unit), ['filebeat-core-uid4242', 'filebeat-core']);
    assert.deepEqual(names(old, at('/etc/filebeat-core.yml')), ['filebeat-core-uid4242', 'filebeat-core']);
    const first = at('/a/core.yml', { account: 1000, since: 5 });
    assert.deepEqual(names(at('/b/core.yml', { account: 4242, since: 6 }), first), ['core-uid4242', 'core']);
    // Nor does it take a name that two instances of the system propose second.
    const two = [at('/a.yml', { unit: 'filebeat@core.service' }), at('/b.yml', { unit: 'fb-test@core.service' })];
    assert.deepEqual(names(...two, at('/e/filebeat@core.yml', { account: 4242 })), [
      'filebeat@core',
      'fb-test@core',
      'filebeat@core-uid4242',
    ]);
  });

  it('a second process of an instance has its name with a number, and takes no name from another instance', () => {
    const core = { unit: 'filebeat@core.service' };
    assert.deepEqual(names(at('/a.yml', core), at('/a.yml', { ...core, duplicate: 2 })), ['core', 'core-2']);
    const other = at('/b.yml', { unit: 'filebeat@core-2.service' });
    assert.deepEqual(names(at('/a.yml', core), at('/a.yml', { ...core, duplicate: 2 }), other), [
      'core',
      'filebeat@core-2',
      'core-2',
    ]);
  });

  it('a name fits into a URL and a label', () => {
    const [name] = names(at('/srv/Kunde Müller/fb "x"/filebeat.yml'));
    assert.match(name!, /^[A-Za-z0-9._@+-]+$/);
  });

  it('property: any set of instances gets unique names, the same in every order', () => {
    const random = generator(7);
    const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
    for (let run = 0; run < 300; run += 1) {
      const requests = Array.from({ length: 1 + random(25) }, (_, n): NameSources => {
        const maybe = <K extends keyof NameSources>(key: K, values: readonly NameSources[K][]) =>
          random(3) === 0 ? { [key]: pick(values) } : {};
        return {
          id: `id ${n}`,
          mainFiles: pick([
            ['/etc/filebeat/filebeat.yml'],
            ['/etc/filebeat/a.yml'],
            ['/srv/a/a.yml'],
            ['/srv/b/a.yml', '/x.yml'],
            [],
          ]),
          pathData: pick(['/var/lib/filebeat', '/var/lib/a', '/data', '']),
          ...maybe('declared', ['a', 'b', 'core']),
          ...maybe('remembered', ['a', 'core', 'core-2', 'a-2']),
          ...maybe('unit', ['filebeat.service', 'filebeat@a.service', 'fb@a.service', '@.service']),
          ...maybe('container', ['0123456789ab', 'a']),
          ...maybe('host', ['agentbeat', 'elastic-otel-collector']),
          ...maybe('duplicate', [2, 3]),
        };
      });
      const first = nameInstances(requests);
      assert.equal(first.size, requests.length);
      assert.equal(new Set(first.values()).size, requests.length);
      for (const name of first.values()) assert.notEqual(name, '');
      const shuffled = [...requests];
      for (let i = shuffled.length - 1; i > 0; i -= 1) {
        const j = random(i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      const again = nameInstances(shuffled);
      for (const [id, name] of first) assert.equal(again.get(id), name);
    }
  });

  it('property: a remembered instance keeps its name, whatever instances of lower priority join', () => {
    const random = generator(11);
    for (let run = 0; run < 100; run += 1) {
      const files = ['/etc/filebeat/a.yml', '/srv/a/a.yml', '/srv/b/a.yml', '/etc/filebeat/filebeat.yml'];
      const old = Array.from({ length: 5 }, (_, n) =>
        at(files[random(4)]!, { id: `old ${n}`, pathData: `/d${random(3)}` }),
      );
      const named = nameInstances(old);
      const remembered = old.map((one) => ({ ...one, remembered: named.get(one.id)! }));
      const joining = Array.from({ length: 5 }, (_, n) =>
        at(files[random(4)]!, { id: `new ${n}`, ...(random(2) === 0 ? {} : { account: 1000 + random(2) }) }),
      );
      const after = nameInstances([...joining, ...remembered]);
      for (const { id } of old) assert.equal(after.get(id), named.get(id));
    }
  });
});
