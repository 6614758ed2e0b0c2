/**
 * Makes small changes to every available configuration. The prediction must stay the same, or change as expected.
 * Cases: those of the conformance corpus if it lies beside the checkout, and the fixtures.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isCollector } from '../../src/filebeat/config/command.js';
import type { FileView } from '../../src/filebeat/files/file-view.js';
import { predict } from '../../src/filebeat/predict.js';
import type { Prediction } from '../../src/model/model.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { type Changed, doubts } from '../support/doubt.js';
import { needs } from '../support/needs.js';
import { createChance } from '../support/random.js';

interface Trial {
  name: string;
  cwd: string;
  args: string[];
  env: Record<string, string>;
  release: string;
  main: string;
}

const real = openFileView('/');

/** The host's files, with some replaced. */
function over(made: Record<string, string>): FileView {
  const stat = (path: string) => ({
    ok: true as const,
    value: { kind: 'file' as const, size: made[path]!.length, mtime: 1, mode: 0o644, uid: 0, signature: path },
  });
  return {
    list: (path, limit) => real.list(path, limit),
    resolve: (path) => (path in made ? { ok: true, value: path } : real.resolve(path)),
    stat: (path) => (path in made ? stat(path) : real.stat(path)),
    head: (path, limit) => real.head(path, limit),
    read: (path, limit) =>
      path in made
        ? { ok: true, value: { bytes: Buffer.from(made[path]!), stat: stat(path).value } }
        : real.read(path, limit),
  };
}

function run({ cwd, env, release, main }: Trial, { text, args, second }: Changed): Prediction {
  const argv = [`${cwd}/filebeat`, ...args, '--strict.perms=false'];
  const files = over({ [main]: text, ...(second ? { [second.path]: second.text } : {}) });
  return predict({ argv, cwd, env, uid: 0 }, files, { release });
}

/** What must not change: the outcome and each socket. */
function essence({ outcome, listeners }: Prediction): string[] {
  if (outcome !== 'runs') return [outcome];
  return [outcome, ...listeners.map(({ protocol, target }) => JSON.stringify([protocol, target])).sort()];
}

/** Each trial makes every change once. The seed makes their positions the same in every run. */
function check(trials: readonly Trial[]): Map<string, number> {
  const met = new Map<string, number>();
  for (const [index, trial] of trials.entries()) {
    const subject = { path: trial.main, text: readFileSync(trial.main, 'utf8'), args: trial.args };
    const before = run(trial, subject);
    // The main file may be another one.
    if (before.mainFiles?.length !== 1 || before.mainFiles[0] !== trial.main) continue;
    if (before.outcome === 'ambiguous' || before.outcome === 'unknown' || before.outcome === 'dynamic') continue;
    for (const [number, doubt] of doubts.entries()) {
      const changed = doubt.change(subject, createChance(index * 100 + number));
      if (!changed) continue;
      const after = essence(run(trial, changed));
      const wanted = doubt.effect === 'same' ? essence(before) : [doubt.effect];
      assert.deepEqual(after, wanted, `${trial.name} ${trial.release}, ${doubt.name}:\n${changed.text}`);
      met.set(doubt.name, (met.get(doubt.name) ?? 0) + 1);
    }
  }
  return met;
}

const ofOurOwn = `name: here
logging.level: info
filebeat.inputs:
- type: udp
  host: 127.0.0.1:7001
- type: syslog
  protocol.udp:
    host: localhost:7002
tags: [a]
output.console.enabled: true
`;

describe('a small change of known effect', () => {
  it('has its effect on a small file', () => {
    const subject = { path: '/doubt/filebeat.yml', text: ofOurOwn, args: [] };
    const trial = { name: 'own', cwd: '/doubt', args: [], env: {}, main: subject.path };
    for (const release of ['7.17.16', '8.19.21', '9.6.0'])
      for (const doubt of doubts)
        for (let seed = 0; seed < 20; seed++) {
          const changed = doubt.change(subject, createChance(seed));
          assert.ok(changed, doubt.name);
          const wanted = doubt.effect === 'same' ? essence(run({ ...trial, release }, subject)) : [doubt.effect];
          assert.deepEqual(essence(run({ ...trial, release }, changed)), wanted, `${doubt.name}:\n${changed.text}`);
        }
  });

  it('has its effect on the fixtures', () => {
    const fixtures = fileURLToPath(new URL('../../../fixtures', import.meta.url));
    const mains = readdirSync(fixtures)
      .map((name) => join(fixtures, name, 'root/etc/filebeat/filebeat.yml'))
      .filter((path) => existsSync(path));
    assert.ok(mains.length > 5);
    const trials = mains.flatMap((main) =>
      ['7.8.0', '8.16.0', '9.6.0'].map((release) => ({
        ...{ name: main, cwd: resolve(main, '..'), args: [], env: {}, release, main },
      })),
    );
    check(trials);
  });

  for (const corpus of ['../shared/corpus', '../shared/corpus-open'].map((path) => resolve(path)))
    it(
      `does what it should to the cases of ${corpus}`,
      needs('the corpus', () => existsSync(corpus)),
      () => {
        const met = check(trialsOf(corpus));
        // Each change must have been possible often.
        for (const { name } of doubts) assert.ok((met.get(name) ?? 0) > 4, `${name}: ${met.get(name) ?? 0} times`);
      },
    );
});

/** Cases with one main file in their folder, each with the newest and the oldest release on which it was run. */
function trialsOf(corpus: string): Trial[] {
  return readdirSync(corpus).flatMap((id) => {
    const folder = join(corpus, id);
    if (!existsSync(join(folder, 'case.json')) || !existsSync(join(folder, 'filebeat.yml'))) return [];
    const one = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
      exe?: string;
      cwd?: string;
      argv: string[];
      env?: Record<string, string>;
      links?: Record<string, string>;
      expected: { filebeat: string[]; alternatives?: unknown }[];
    };
    // Only if the main file has its default path.
    if (one.links || one.cwd || one.exe || one.argv.some((arg) => /^--?(?:c|path|E|M)/.test(arg))) return [];
    if (one.expected.some(({ alternatives }) => alternatives)) return [];
    const releases = one.expected.flatMap(({ filebeat }) => filebeat);
    return [...new Set([releases[0]!, releases.at(-1)!])].flatMap((release) => {
      const homes = [corpus, resolve(corpus, '../corpus')].map((at) => join(at, 'homes', release));
      const home = homes.find((at) => existsSync(at)) ?? homes[0]!;
      const fill = (text: string) => text.replaceAll('${CASE}', folder).replaceAll('${HOME}', home);
      const args = one.argv.map(fill);
      if (!isCollector([`${folder}/filebeat`, ...args])) return [];
      const env = Object.fromEntries(Object.entries(one.env ?? {}).map(([name, value]) => [name, fill(value)]));
      return [{ name: id, cwd: folder, args, env, release, main: join(folder, 'filebeat.yml') }];
    });
  });
}
