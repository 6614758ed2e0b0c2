/** Files that the user of a Filebeat could not list or read do not enter its prediction, although the exporter can read them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { goGlob } from '../../src/filebeat/files/glob.js';
import { predict } from '../../src/filebeat/predict.js';
import type { ProcessIdentity } from '../../src/model/model.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { mayUse, READ, readerOf, SEARCH } from '../../src/proc/permissions.js';
import { createWorld } from '../support/world.js';

const world = createWorld('permissions-');
after(world.end);
const EVE = 4242;
const standing = (uids: number[], more: Partial<ProcessIdentity> = {}): ProcessIdentity => ({
  uids,
  innerUid: uids[1]!,
  groups: [],
  readsAll: false,
  account: uids.find((uid) => uid !== 0) ?? 0,
  isProgram: true,
  ...more,
});

describe('who reads', () => {
  const cases: [what: string, standing: ProcessIdentity, uid: number | undefined][] = [
    ['root reads everything', standing([0, 0, 0]), undefined],
    ['a user reads what is his', standing([EVE, EVE, EVE]), EVE],
    ['a service reads what is its user’s', standing([998, 998, 998], { account: 0 }), 998],
    ['its capabilities open the rest', standing([998, 998, 998], { account: 0, readsAll: true }), undefined],
    ['so do those of a program that is a user’s', standing([EVE, EVE, EVE], { readsAll: true }), undefined],
    ['a lent uid is nobody’s own', standing([EVE, 0, 0], { readsAll: true }), EVE],
    [
      'nor are the capabilities of another program',
      standing([EVE, EVE, EVE], { readsAll: true, isProgram: false }),
      EVE,
    ],
  ];
  for (const [what, one, uid] of cases) it(what, () => assert.equal(readerOf(one)?.uid, uid));
});

describe('what may be read', () => {
  const eve = { uid: EVE, groups: [100], isDoubted: true };
  const service = { ...eve, isDoubted: false };
  const inside = { ...eve, opens: { uids: [{ outside: EVE, count: 2 }], gids: [{ outside: 100, count: 1 }] } };
  const cases: [what: string, may: boolean, expected: boolean][] = [
    ['by everybody', mayUse(eve, { uid: 0, gid: 0, mode: 0o644 }, READ), true],
    ['by root alone', mayUse(eve, { uid: 0, gid: 0, mode: 0o600 }, READ), false],
    ['by its group', mayUse(eve, { uid: 0, gid: 100, mode: 0o640 }, READ), true],
    ['by everybody but its group', mayUse(eve, { uid: 0, gid: 100, mode: 0o604 }, READ), false],
    ['not by its owner', mayUse(eve, { uid: EVE, gid: 100, mode: 0o244 }, READ), false],
    ['a folder that is searched and not listed', mayUse(eve, { uid: 0, gid: 0, mode: 0o711 }, SEARCH), true],
    ['by an access list perhaps, for a user', mayUse(eve, { uid: 0, gid: 0, mode: 0o640 }, READ), false],
    ['by an access list perhaps, for a service', mayUse(service, { uid: 0, gid: 0, mode: 0o640 }, READ), true],
    [
      'by the root of a user namespace that has its owner',
      mayUse(inside, { uid: EVE + 1, gid: 100, mode: 0 }, READ),
      true,
    ],
    ['by one that has not', mayUse(inside, { uid: 0, gid: 0, mode: 0o600 }, READ), false],
  ];
  for (const [what, may, expected] of cases) it(what, () => assert.equal(may, expected));
});

describe('a user’s configuration', () => {
  const { folder: root } = world;
  const secret = `${root}/secret`;
  mkdirSync(`${secret}/inner`, { recursive: true });
  writeFileSync(`${secret}/named-by-root.yml`, '- {type: udp, host: "127.0.0.1:9555"}\n', { mode: 0o644 });
  writeFileSync(`${root}/private.yml`, 'filebeat.inputs: [{type: udp, host: "127.0.0.1:9556"}]\n', { mode: 0o600 });
  chmodSync(root, 0o755);
  chmodSync(secret, 0o700);
  const reader = { uid: (process.getuid?.() ?? 0) + 1, groups: [], isDoubted: true };
  const files = openFileView('/', undefined, reader);

  it('has no file of a directory that the user may not list', () => {
    const found = goGlob(`${secret}/*.yml`, files, 100);
    assert.ok(found.ok);
    assert.deepEqual(found.paths, []);
    assert.deepEqual(
      found.gaps.map(({ reason, subject, deniedTo }) => [reason, subject, deniedTo]),
      [['denied', secret, reader.uid]],
    );
    const all = goGlob(`${secret}/*.yml`, openFileView('/'), 100);
    assert.deepEqual(all.ok && all.paths, [`${secret}/named-by-root.yml`]);
  });

  it('does not show whether a file exists in a directory that the user may not search', () => {
    for (const name of ['named-by-root.yml', 'no-such.yml']) {
      const stat = files.stat(`${secret}/${name}`);
      assert.equal(stat.ok, false);
      assert.equal(!stat.ok && stat.gap.reason, 'denied');
    }
  });

  it('has no listener of a file that the user may not read', () => {
    const argvOf = (file: string) => ['filebeat', '-c', file, '--path.home', root, '--path.data', root];
    const told = (file: string) => {
      const command = { argv: argvOf(file), cwd: '/', env: {}, uid: reader.uid };
      const { listeners, gaps, outcome } = predict(command, files, {});
      return { ports: listeners.map(({ port }) => port), outcome, denied: gaps.map(({ subject }) => subject) };
    };
    assert.deepEqual(told(`${root}/private.yml`), { ports: [], outcome: 'unknown', denied: [`${root}/private.yml`] });
    const own = `${root}/own.yml`;
    const text = (path: string) => `filebeat.config.inputs: {path: ${path}}\noutput.console.enabled: true\n`;
    writeFileSync(own, text(`${secret}/named*.yml`));
    const { ports, denied } = told(own);
    assert.deepEqual([ports, denied], [[], [secret]]);
  });
});
