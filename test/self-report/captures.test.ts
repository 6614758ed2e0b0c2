/** Recordings of real Filebeats of several releases, where they lie beside the checkout. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { OutputSituation } from '../../src/model/model.js';
import { readLogLine } from '../../src/self-report/log/log-line.js';
import { readEntries, readFigures } from '../../src/self-report/pipeline-figures.js';
import { type Sample, situationBetween } from '../../src/self-report/situation.js';
import { addSample, emptyTrack, figuresOf } from '../../src/self-report/track.js';
import { needs } from '../support/needs.js';

const folder = '../shared/filebeat/self-report';
const need = needs(`recordings in ${folder}`, () => existsSync(folder));
const releases = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d/.test(name)) : [];

/** `{"a.b": 1}` → `{a: {b: 1}}`. */
function nested(flat: Record<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const keys = path.split('.');
    let here = root;
    for (const key of keys.slice(0, -1)) {
      here[key] ??= {};
      here = here[key] as Record<string, unknown>;
    }
    here[keys.at(-1)!] = value;
  }
  return root;
}

function looksOf(release: string, series: string): Sample[] {
  const text = readFileSync(join(folder, release, series), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { t: number; stats?: Record<string, unknown> })
    .flatMap(({ t, stats }) =>
      stats === undefined ? [] : [{ at: t, figures: readFigures({ libbeat: nested(stats) })! }],
    );
}

/** The verdicts that a situation may get at any time, and those that it must get at least once with samples 25 s or more apart. */
const situations: Record<string, { may: OutputSituation[]; must: OutputSituation[]; loses?: true }> = {
  healthy: { may: ['flowing'], must: ['flowing'] },
  dropproc: { may: ['idle'], must: [] },
  ls_closed: { may: ['down'], must: ['down'] },
  ls_mute: { may: ['refusing', 'mute'], must: ['refusing'] },
  ls_slow: { may: ['flowing', 'slow'], must: ['slow'] },
  ls_recover: { may: ['down', 'flowing'], must: ['flowing'] },
  es_403: { may: ['refusing'], must: ['refusing'] },
  es_item400: { may: ['flowing'], must: ['flowing'], loses: true },
  file_full: { may: ['flowing'], must: ['flowing'], loses: true },
};

const leaks = (release: string) => {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major < 8 || (major === 8 && minor <= 14);
};

describe('recordings of real Filebeats', () => {
  it('exist in CI', need, () => assert.ok(releases.length > 0));

  for (const release of releases) {
    const series = readdirSync(join(folder, release)).filter((name) => name.startsWith('series-'));
    for (const name of series)
      it(`${release} ${name}: the right verdict at every interval, and never a wrong one`, () => {
        const { may, must, loses } = situations[name.slice('series-'.length, -'.ndjson'.length)]!;
        const looks = looksOf(release, name);
        const found = new Set<OutputSituation>();
        let lost = 0;
        for (const apart of [5, 15, 25, 30, 60])
          for (const to of looks) {
            const from = looks.findLast(({ at }) => to.at - at >= apart);
            if (from === undefined) continue;
            const situation = situationBetween(from, to, leaks(release));
            lost += situation.lost;
            if (situation.output === 'unknown') continue;
            assert.ok(may.includes(situation.output), `${situation.output} from ${from.at} to ${to.at} s`);
            found.add(situation.output);
          }
        for (const one of must) assert.ok(found.has(one), `never ${one}`);
        assert.equal(lost > 0, loses === true);
      });

    for (const name of series)
      it(`${release} ${name}: sampled every 5, 15, 60 and 120 s from any time on, no verdict is wrong`, () => {
        const { may, must } = situations[name.slice('series-'.length, -'.ndjson'.length)]!;
        const looks = looksOf(release, name);
        const told = new Set<OutputSituation>();
        for (const apart of [5, 15, 60, 120])
          for (let first = 0; first < looks.length; first++) {
            let track = emptyTrack;
            for (const look of looks.slice(first)) {
              const before = track.samples.at(-1);
              if (before !== undefined && look.at - before.at < apart) continue;
              track = addSample(track, look, leaks(release));
              const { output } = figuresOf(track, true, leaks(release));
              if (output === 'unknown') continue;
              assert.ok(may.includes(output), `${output} at ${look.at} s, every ${apart} s`);
              told.add(output);
            }
          }
        for (const one of must) assert.ok(told.has(one), `never ${one}`);
      });

    it(`${release}: every metrics line is read, and error files contain the kind they are named after`, () => {
      const lines = (name: string) =>
        readFileSync(join(folder, release, name), 'utf8')
          .split('\n')
          .filter((line) => line !== '');
      const names = readdirSync(join(folder, release));
      for (const name of names.filter((one) => /^metrics-.*\.log$/.test(one)))
        for (const line of lines(name)) {
          // At a clean stop Filebeat writes the totals once more, which are not a period.
          const isPeriod = !line.includes('Total metrics');
          assert.equal(readLogLine(line)?.kind, isPeriod ? 'metrics' : undefined, name);
        }
      const kinds = (name: string) =>
        new Set(names.includes(name) ? lines(name).map((line) => readLogLine(line)?.kind) : []);
      const expected: [string, string][] = [
        ['errors-output-refused.log', 'output_connect'],
        ['errors-output-timeout.log', 'output_publish'],
        ['errors-output-403.log', 'output_publish'],
        ['errors-file-full.log', 'output_dropped'],
        ['errors-output-drops-400.log', 'output_dropped'],
        ['errors-bind.log', 'bind'],
      ];
      for (const [name, kind] of expected) if (names.includes(name)) assert.ok(kinds(name).has(kind as never), name);
    });

    it(`${release}: the entries of /inputs/ are read`, () => {
      const file = join(folder, release, 'inputs.json');
      if (!existsSync(file)) return;
      const entries = readEntries(JSON.parse(readFileSync(file, 'utf8')));
      assert.ok(entries.some(({ device, received }) => device !== undefined && received !== undefined));
    });
  }
});
