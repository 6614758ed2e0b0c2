/**
 * Property: the results for honest Filebeats are the same with and without hostile ones. Random worlds of units, declarations,
 * patterns, memory and processes, and a user who copies everything a user can copy. Seed and count are printed.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Candidate } from '../../src/discovery/instances/candidate.js';
import { identityOf } from '../../src/discovery/instances/identity.js';
import { type Merged, mergeCandidates } from '../../src/discovery/instances/instances.js';
import type { InstanceOrigin, ProcessIdentity } from '../../src/model/model.js';
import { type Chance, createChance } from '../support/random.js';

const SEED = Number(process.env['HOSTILE_SEED'] ?? 20_261_127);
const ROUNDS = Number(process.env['HOSTILE_ROUNDS'] ?? 2000);
const EVE = 4242;
const files = [
  '/etc/filebeat/core.yml',
  '/etc/filebeat/edge.yml',
  '/srv/a/filebeat.yml',
  '/etc/filebeat/filebeat-core.yml',
];
const data = ['/var/lib/filebeat', '/var/lib/core'];
const units = ['filebeat.service', 'filebeat@core.service', 'filebeat-core.service', 'cron.service'];

interface Place {
  root: string;
  network: string;
  mainFiles: string[];
  pathData: string;
  config: string;
}

function place(chance: Chance): Place {
  const file = chance.pick(files);
  const network = chance.pick(['host', 'host', 'host', 'netns 5']);
  return { root: '/', network, mainFiles: [file], pathData: chance.pick(data), config: file };
}

function running(
  chance: Chance,
  pid: number,
  uid: number,
  more: Partial<ProcessIdentity> = {},
  unit?: string,
): Candidate {
  const account = unit === undefined ? uid : 0;
  const standing: ProcessIdentity = {
    uids: [uid, uid, uid],
    innerUid: uid,
    groups: [uid],
    readsAll: uid === 0,
    account,
    isProgram: true,
    ...(unit === undefined ? {} : { unit }),
    ...more,
  };
  // Of two unremembered processes of ordinary users the older gets the name: Eve starts later.
  const startTicks = chance.below(1000) + (uid === EVE ? 1000 : 0);
  const facts = { pid, startTicks, startTime: 1, comm: 'filebeat', uid, executableDeleted: false };
  const owner = standing.uids.find((one) => one !== 0) ?? 0;
  return {
    origin: 'process',
    ...place(chance),
    process: facts,
    identity: standing,
    owner,
    account: standing.account,
    ...(unit === undefined ? {} : { unit }),
  };
}

function remembered(chance: Chance, name: string, owner: number, account: number): Candidate {
  const unit = account === 0 && chance.oneIn(3) ? { unit: chance.pick(units) } : {};
  const one: Candidate = {
    origin: 'remembered',
    ...place(chance),
    owner,
    users: [owner],
    ...(account === 0 ? {} : { account }),
    ...unit,
  };
  const origins: InstanceOrigin[] = ['process'];
  return { ...one, remembered: { id: identityOf(one), name, origins } };
}

function honest(chance: Chance): Candidate[] {
  const users = () => chance.pick([[0], [0], [998], [0, 998]]);
  return Array.from({ length: 1 + chance.below(7) }, (_, n): Candidate => {
    const onHost = { ...place(chance), network: 'host' };
    switch (chance.below(6)) {
      case 0:
        return running(chance, 100 + n, chance.pick([0, 0, 998]), {}, chance.oneIn(2) ? chance.pick(units) : undefined);
      case 1: {
        const [uid] = users();
        return {
          origin: 'systemd',
          ...onHost,
          unit: chance.pick(units),
          shouldRun: !chance.oneIn(4),
          users: [uid!],
          owner: uid!,
        };
      }
      case 2:
        return { origin: 'declared', ...onHost, declaredName: `d${n}`, users: users() };
      case 3: {
        const { pathData: _data, ...rest } = onHost;
        return { origin: 'config_glob', ...rest, users: [0] };
      }
      case 4:
        return contained(chance, 100 + n, chance.pick(['web', 'api']));
      default:
        return remembered(chance, `r${n}`, chance.pick([0, 0, 998]), 0);
    }
  });
}

/** In a container of a system engine, running or remembered. */
function contained(chance: Chance, pid: number, name: string): Candidate {
  const id = chance.pick(['c1', 'c2']);
  const box = { root: id, container: id, network: 'own', containerName: `docker ${name}` };
  if (chance.oneIn(2)) {
    const known = { ...remembered(chance, `box-${name}`, 0, 0), ...box };
    return { ...known, remembered: { ...known.remembered!, id: identityOf(known) } };
  }
  return { ...running(chance, pid, 0), ...box };
}

/** Everything a user can change about his process: none of it makes it the process of another user. */
function hostile(chance: Chance): Candidate[] {
  return Array.from({ length: 1 + chance.below(6) }, (_, n): Candidate => {
    if (chance.oneIn(4)) return remembered(chance, `e${n}`, EVE, EVE);
    const lent = chance.oneIn(4) ? { uids: [EVE, 0, 0], readsAll: true } : {};
    const more: Partial<ProcessIdentity> = { ...lent, account: EVE, userUnit: chance.pick(units) };
    if (chance.oneIn(4)) more.isProgram = false;
    // In his own user namespace he can have any uid.
    if (chance.oneIn(3)) Object.assign(more, { innerUid: chance.pick([0, 998]), opens: { uids: [], gids: [] } });
    if (chance.oneIn(5)) more.unitServesUsers = true;
    const his = running(chance, 10 + n, EVE, more, more.unitServesUsers ? 'atd.service' : undefined);
    if (chance.oneIn(4)) his.hostView = false;
    if (chance.oneIn(4)) his.canRead = false;
    const id = chance.pick(['c1', 'c2']);
    const root = chance.pick<Partial<Candidate>>([
      {},
      {},
      { root: '8:77' },
      { root: `user ${EVE} ${id}`, container: id, network: 'own' },
    ]);
    return { ...his, ...root };
  });
}

const told = (all: Merged<Candidate>[], of: ReadonlySet<Candidate>) =>
  all
    .filter(({ candidates }) => candidates.some((c) => of.has(c)))
    .map(({ candidates, ...rest }) => ({
      ...rest,
      those: candidates.map((c) => (of.has(c) ? JSON.stringify(c) : 'HOSTILE')),
    }));

it('the results for honest Filebeats are the same with and without hostile ones', (context) => {
  const met = new Map<string, number>();
  const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
  for (let round = 0; round < ROUNDS; round++) {
    const chance = createChance(SEED + round);
    const seen = new Set<string>();
    const good = honest(chance).filter(({ remembered: known }) => {
      const isNew = known === undefined || !seen.has(known.id);
      if (known !== undefined) seen.add(known.id);
      return isNew;
    });
    const bad = hostile(chance).filter(({ remembered: known }) => {
      const isNew = known === undefined || !seen.has(known.id);
      if (known !== undefined) seen.add(known.id);
      return isNew;
    });
    const those = new Set(good);
    const without = told(mergeCandidates(good), those);
    const beside = told(mergeCandidates([...bad, ...good]), those);
    assert.deepEqual(beside, without, `seed ${SEED + round}`);
    for (const { origins, identity, container, process } of without) {
      for (const origin of origins) meet(origin);
      if (identity?.claim !== undefined) meet(`claim ${identity.claim}`);
      if (container !== undefined) meet(process === undefined ? 'container that is down' : 'container');
    }
    for (const { identity } of mergeCandidates([...bad, ...good])) if (identity?.imitates) meet('imitation');
  }
  const kinds = ['process', 'systemd', 'declared', 'config_glob', 'remembered', 'claim cgroup', 'claim user'];
  for (const kind of [...kinds, 'container', 'container that is down', 'imitation'])
    assert.ok((met.get(kind) ?? 0) > ROUNDS / 50, `${kind}: ${met.get(kind) ?? 0} of ${ROUNDS} worlds`);
  context.diagnostic(`seed ${SEED}, ${ROUNDS} worlds`);
});
