import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutputSituation } from '../../src/model/model.js';
import { readFigures } from '../../src/self-report/pipeline-figures.js';
import { type Arrivals, noteSample, silenceOf } from '../../src/self-report/silence.js';
import { type Sample, situationBetween } from '../../src/self-report/situation.js';
import { addSample, emptyTrack, figuresOf, lostRecently, type Track } from '../../src/self-report/track.js';
import { metricsOf, type Period } from '../support/filebeat-log.js';

const look = (at: number, period: Period): Sample => ({ at, figures: readFigures(metricsOf(period))! });

const cases: [string, Period, Period, OutputSituation, boolean?][] = [
  [
    'events come and are acknowledged',
    { in: 100, acked: 50, active: 50 },
    { in: 3100, acked: 3000, active: 100 },
    'flowing',
  ],
  ['nothing came and nothing waits', { in: 100, acked: 100, active: 0 }, { in: 100, acked: 100, active: 0 }, 'idle'],
  ['all that came was filtered', { in: 100, filtered: 100, active: 0 }, { in: 900, filtered: 900, active: 0 }, 'idle'],
  ['events wait and none is tried', { in: 600, active: 600 }, { in: 3201, active: 3201 }, 'down'],
  [
    'attempts fail',
    { in: 600, active: 600, tried: 500, failed: 0 },
    { in: 900, active: 900, tried: 4000, failed: 3500 },
    'refusing',
  ],
  [
    'up to 8.14 refused requests only leak',
    { in: 600, active: 600, tried: 500, outputActive: 500 },
    { in: 900, active: 900, tried: 1000, outputActive: 1000 },
    'refusing',
    true,
  ],
  [
    'what was sent is not answered',
    { in: 600, active: 600, tried: 128, outputActive: 128 },
    { in: 900, active: 900, tried: 128, outputActive: 128 },
    'mute',
  ],
  [
    'some are acknowledged while the queue stays full',
    { in: 4000, acked: 384, active: 3200 },
    { in: 5000, acked: 700, active: 3201 },
    'slow',
  ],
  ['the backlog is only as old as the second look', { in: 0, active: 0 }, { in: 600, active: 600 }, 'unknown'],
  [
    'an old disk queue holds events unseen',
    { in: 100, active: 0, queueMax: 64_000 },
    { in: 900, active: 0, queueMax: 64_000 },
    'unknown',
  ],
];

describe('two samples of the figures', () => {
  for (const [title, a, b, expected, leaks = false] of cases)
    it(`${title}: ${expected}`, () => assert.equal(situationBetween(look(0, a), look(30, b), leaks).output, expected));

  it('two samples less than 25 seconds apart do not show a failing output', () => {
    const [a, b] = [
      { in: 600, active: 600 },
      { in: 900, active: 900 },
    ];
    assert.equal(situationBetween(look(0, a), look(12, b), false).output, 'unknown');
  });
});

/** The output’s situation at each sample. */
function outputs(looks: readonly Sample[]): (string | undefined)[] {
  let track: Track = emptyTrack;
  return looks.map((one) => {
    track = addSample(track, one, false);
    return track.run?.kind;
  });
}

describe('a series of samples', () => {
  for (const rhythm of [5, 15, 60, 120])
    it(`every ${rhythm} s: an output that fails and recovers is failing only in between`, () => {
      const looks: Sample[] = [];
      let [arrived, acked] = [0, 0];
      for (let at = 0; at <= 900; at += rhythm) {
        const down = at >= 240 && at < 600;
        arrived = at * 10;
        acked = down ? acked : Math.max(0, arrived - 50);
        looks.push(look(at, { in: arrived, acked, tried: acked, active: arrived - acked, queueMax: 100_000 }));
      }
      const found = outputs(looks);
      looks.forEach(({ at }, index) => {
        if (at < 240 || at >= 600 + rhythm) assert.equal(found[index], undefined, `at ${at} s`);
        if (at >= 240 + Math.max(60, 2 * rhythm) && at < 600) assert.equal(found[index], 'failing', `at ${at} s`);
      });
    });

  it('a stream of one event in nine seconds is never a failing output', () => {
    const looks = Array.from({ length: 200 }, (_, n) => {
      const at = n * 5;
      const arrived = Math.floor(at / 9) + 1;
      // Acknowledged ten seconds after it arrived.
      const acked = Math.max(0, Math.floor((at - 10) / 9) + 1);
      return look(at, { in: arrived, acked, tried: acked, active: arrived - acked });
    });
    assert.ok(outputs(looks).every((kind) => kind === undefined));
  });

  it('a slow output stays slow while a bulk leaves room in the queue for a moment, and ends when the queue stays free', () => {
    let track = emptyTrack;
    const seen: (string | undefined)[] = [];
    for (let n = 0; n < 12; n++) {
      const active = n === 4 || n > 7 ? 1600 : 3201;
      track = addSample(track, look(n * 30, { in: 9000 + n * 10, acked: 100 + n * 10, active }), false);
      seen.push(figuresOf(track, true, false).output);
    }
    assert.deepEqual(seen.slice(2), [...Array(7).fill('slow'), 'flowing', 'flowing', 'flowing']);
  });

  it('lost events are reported also by samples more than five minutes apart', () => {
    const at = (seconds: number, dropped: number) => look(seconds, { in: seconds, dropped, active: 0 });
    const track = [at(0, 0), at(301, 0), at(602, 7)].reduce((t, one) => addSample(t, one, false), emptyTrack);
    assert.equal(lostRecently(track), 7);
  });

  it('events lost count for five minutes', () => {
    let track = emptyTrack;
    for (let at = 0; at <= 600; at += 30)
      track = addSample(track, look(at, { in: at, dropped: at >= 90 ? 7 : 0, active: 0 }), false);
    assert.equal(lostRecently(track), 0);
    let early = emptyTrack;
    for (let at = 0; at <= 120; at += 30)
      early = addSample(early, look(at, { in: at, dropped: at >= 90 ? 7 : 0, active: 0 }), false);
    assert.equal(lostRecently(early), 7);
  });
});

const day = 86_400;

/** One sample a minute; `arrives` says whether something arrived in that minute. */
function watch(from: number, until: number, arrives: (at: number) => boolean, before?: Arrivals): Arrivals {
  let arrivals = before;
  for (let at = from; at < until; at += 60) arrivals = noteSample(arrivals, at, arrives(at), arrivals !== undefined);
  return arrivals!;
}

describe('silence', () => {
  it('is reported after silent_after when a port that always received stops', () => {
    const known = watch(0, day, () => true);
    assert.equal(silenceOf(known, day + 600, 900), undefined);
    assert.deepEqual(silenceOf(known, day + 1200, 900), { forSeconds: 1260, never: false });
  });

  it('is not reported at night if earlier nights were silent', () => {
    const byDay = (at: number) => at % day < 36_000;
    const known = watch(0, 3 * day, byDay);
    assert.equal(silenceOf(known, 3 * day + 60, 900), undefined);
    assert.notEqual(silenceOf(known, 6 * day, 900), undefined);
  });

  it('of a port that never received anything is marked as such', () => {
    assert.deepEqual(
      silenceOf(
        watch(0, 2000, () => false),
        2000,
        900,
      ),
      { forSeconds: 2000, never: true },
    );
  });

  it('is not reported for a port watched too briefly, with 0, or after the clock was set back', () => {
    assert.equal(
      silenceOf(
        watch(0, 1000, () => true),
        5000,
        900,
      ),
      undefined,
    );
    assert.equal(
      silenceOf(
        watch(0, day, () => true),
        3 * day,
        0,
      ),
      undefined,
    );
    assert.equal(
      silenceOf(
        watch(day, 2 * day, () => true),
        0,
        900,
      ),
      undefined,
    );
  });
});
