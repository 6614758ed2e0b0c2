/** Whether a process is an expected instance: the rule alone, on facts given by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../src/discovery/instances/candidate.js';
import { identityOf, judgeIdentity } from '../../src/discovery/instances/identity.js';
import { mergeCandidates } from '../../src/discovery/instances/instances.js';
import type { ProcessIdentity } from '../../src/model/model.js';

const core = '/etc/filebeat/core.yml';
const place = { root: '/', network: 'host', mainFiles: [core], pathData: '/var/lib/filebeat', config: core };
const EVE = 4242;

function process(uid: number, rest: Partial<Candidate> = {}, more: Partial<ProcessIdentity> = {}): Candidate {
  const standing: ProcessIdentity = {
    uids: [uid, uid, uid],
    innerUid: uid,
    groups: [uid],
    readsAll: uid === 0,
    account: uid,
    isProgram: true,
    ...(rest.unit === undefined ? {} : { unit: rest.unit, account: 0 }),
    ...more,
  };
  const pid = rest.process?.pid ?? 7;
  const facts = { pid, startTicks: pid * 10, startTime: pid, comm: 'filebeat', uid, executableDeleted: false };
  return {
    origin: 'process',
    ...place,
    owner: uid,
    account: uid,
    identity: standing,
    ...rest,
    process: { ...facts, ...rest.process },
  };
}
const unit = (rest: Partial<Candidate> = {}): Candidate => ({
  origin: 'systemd',
  ...place,
  unit: 'filebeat@core.service',
  shouldRun: true,
  users: [0],
  owner: 0,
  ...rest,
});
const glob = (users: number[]): Candidate => {
  const { pathData: _, ...rest } = place;
  return { origin: 'config_glob', ...rest, users };
};
const remembered = (rest: Partial<Candidate> = {}): Candidate => {
  const owner = rest.owner ?? 0;
  const one: Candidate = { origin: 'remembered', ...place, owner, users: [owner], ...rest };
  return { ...one, remembered: { id: identityOf(one), name: 'core', origins: ['process'], ...rest.remembered } };
};

describe('a process outside the unit’s control group', () => {
  const cases: [what: string, process: Candidate, expected: Candidate, answer: string][] = [
    ['by hand as root', process(0), unit(), 'belongs user'],
    ['by hand through sudo, in the session of a user', process(0, {}, { account: 0 }), unit(), 'belongs user'],
    ['as another user', process(EVE), unit(), 'cannot user'],
    ['as the user of the unit', process(998), unit({ users: [998] }), 'belongs user'],
    ['as root, where the unit names another user', process(0), unit({ users: [998] }), 'cannot user'],
    ['as root, where the user of the unit is unknown', process(0), unit({ users: undefined }), 'belongs user'],
    ['with the effective uid of a setuid program', process(0, {}, { uids: [EVE, 0, 0] }), unit(), 'cannot user'],
    ['as a user, where the user of the unit is unknown', process(EVE), unit({ users: undefined }), 'unknown '],
    ['in another network namespace', process(0, { network: 'netns 5' }), unit(), 'cannot network namespace'],
    ['with other files at those paths', process(0, { hostView: false }), unit(), 'cannot files'],
    ['of another program', process(0, {}, { isProgram: false }), unit(), 'cannot program'],
    [
      'that may not read its configuration',
      process(998, { canRead: false }),
      unit({ users: [998] }),
      'cannot permission',
    ],
    ['in the group of another unit', process(0, { unit: 'cron.service' }), unit(), 'cannot unit'],
    ['of a pattern, by the owner of the file', process(EVE), glob([EVE]), 'belongs user'],
    ['of a pattern, by somebody else', process(EVE), glob([0]), 'cannot user'],
    ['of the memory, in the group of a supervisor', process(0, { unit: 'cron.service' }), remembered(), 'belongs user'],
    [
      'of the memory, by another user’s job in the same cron',
      process(EVE, { unit: 'cron.service' }, { unitServesUsers: true, account: EVE }),
      remembered({ unit: 'cron.service' }),
      'cannot user',
    ],
    [
      'of the memory, by root’s own job in cron',
      process(0, { unit: 'cron.service' }, { unitServesUsers: true }),
      remembered({ unit: 'cron.service' }),
      'belongs user',
    ],
    ['of the memory, by the same user', process(998), remembered({ owner: 998 }), 'belongs user'],
    ['of the memory, by another', process(EVE), remembered({ owner: 998 }), 'cannot user'],
    ['of a user’s own, by root', process(0), remembered({ owner: EVE, account: EVE }), 'cannot user'],
  ];
  for (const [what, one, expected, answer] of cases)
    it(`${what}: ${answer}`, () => {
      const told = judgeIdentity(one, expected);
      const more = told.is === 'belongs' ? told.by : told.is === 'cannot' ? told.differs : '';
      assert.equal(`${told.is} ${more}`, answer);
    });

  it('in the unit’s control group it belongs to the unit, whatever else differs', () => {
    const odd = process(EVE, { unit: 'filebeat@core.service', network: 'netns 5', hostView: false, canRead: false });
    assert.deepEqual(judgeIdentity(odd, unit()), { is: 'belongs', by: 'cgroup' });
  });

  it('in a container the uids inside are compared, and only for one account', () => {
    const box = { root: 'c1', container: 'c1', network: 'own' };
    const known = remembered({ ...box, owner: 1000 });
    const inside = (account: number) => process(101_000, { ...box, owner: 1000 }, { innerUid: 1000, account });
    assert.deepEqual(judgeIdentity(inside(0), known), { is: 'belongs', by: 'user' });
    assert.deepEqual(judgeIdentity(inside(EVE), known), { is: 'cannot', differs: 'user' });
  });
});

describe('a process that cannot be the expected instance', () => {
  const tell = (...all: Candidate[]) =>
    mergeCandidates(all).map(
      ({ name, process: one, identity, undecided }) =>
        `${name} ${one?.uid ?? 'down'}${identity?.imitates ? ` not ${identity.imitates.name}` : ''}${undecided ? ' ?' : ''}`,
    );

  it('is an instance of its own, without the name and history of the other', () => {
    assert.deepEqual(tell(unit(), process(EVE)), ['core down', 'core-uid4242 4242 not core']);
    assert.deepEqual(tell(remembered(), process(EVE)), ['core down', 'core-uid4242 4242 not core']);
    const merged = mergeCandidates([remembered(), process(EVE)]);
    assert.deepEqual(
      merged.map(({ rememberedAs }) => rememberedAs.length),
      [1, 0],
    );
  });

  it('takes nothing from the running one, whichever started first', () => {
    const eve = process(EVE, { process: { pid: 3 } as never });
    assert.deepEqual(tell(eve, process(0)), ['core 0', 'core-uid4242 4242 not core']);
    assert.deepEqual(tell(eve, process(0), unit()), ['core 0', 'core-uid4242 4242 not core']);
  });

  it('leaves an instance undecided where its user is unknown', () => {
    assert.deepEqual(tell(unit({ users: undefined }), process(EVE)), ['core down ?', 'core-uid4242 4242']);
  });

  it('and the history of an ordinary user does not become that of a unit', () => {
    const [one, his] = mergeCandidates([unit(), remembered({ owner: EVE, account: EVE })]);
    assert.deepEqual([one!.rememberedAs, one!.name], [[], 'core']);
    assert.deepEqual([his!.rememberedAs.length, his!.name], [1, 'core-uid4242']);
  });
});

describe('what continues as the same instance', () => {
  const nameOf = (...all: Candidate[]) =>
    mergeCandidates(all).map(({ name, rememberedAs }) => [name, rememberedAs.length]);

  it('a unit with a new user', () => {
    const before = remembered({ owner: 0, unit: 'filebeat@core.service' });
    const now = process(998, { unit: 'filebeat@core.service' });
    assert.deepEqual(nameOf(before, now, unit({ users: [998], owner: 998 })), [['core', 1]]);
  });

  it('a container that its engine recreated', () => {
    const box = (id: string) => ({ root: id, container: id, network: 'own', containerName: 'docker web' });
    const now = process(0, box('c2'), { account: 0, containerName: 'docker web' });
    const merged = mergeCandidates([remembered(box('c1')), now]);
    assert.deepEqual(
      merged.map(({ name, process: one }) => [name, one?.pid]),
      [['core', 7]],
    );
  });

  it('the process that release 0.1.0 remembered, whoever its user is, who owns it from then on', () => {
    const { owner: _, ...old } = remembered({ users: [0] });
    old.remembered!.process = { pid: 7, startTicks: 70 };
    const merged = mergeCandidates([old, process(1000)]);
    assert.deepEqual(
      merged.map(({ name, rememberedAs, account }) => [name, rememberedAs.length, account]),
      [['core', 1, 1000]],
    );
  });

  it('an instance that release 0.1.0 remembered without an owner', () => {
    const { owner: _, ...old } = remembered({ users: [998] });
    const merged = mergeCandidates([old, process(998)]);
    assert.deepEqual(
      merged.map(({ name, rememberedAs }) => [name, rememberedAs.length]),
      [['core', 1]],
    );
  });
});
