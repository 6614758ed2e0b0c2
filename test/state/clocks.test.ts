/** The wall clock is set while the program runs: ages stay, and the age of a future time stamp is unknown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ageOf } from '../../src/model/instance-rules.js';
import { createReporter } from '../../src/report/reporter.js';
import { elapsedBetween, stepBetween } from '../../src/runtime/clock.js';
import { learn } from '../../src/state/learned.js';
import { flappingOf, isExpired } from '../../src/state/memory-questions.js';
import { emptyState } from '../../src/state/memory-state.js';
import { isSameBoot, shiftTimes } from '../../src/state/memory-times.js';
import { instance, listener, snapshot } from '../support/build.js';
import { known } from '../support/states.js';

const hour = 3600;
const day = 24 * hour;

describe('a step of the clock', () => {
  it('is the difference between the wall clock and the steady clock', () => {
    const before = { at: 1000, steady: 10 };
    assert.equal(stepBetween(before, { at: 1030, steady: 40 }), 0);
    assert.equal(stepBetween(before, { at: 1030.4, steady: 40 }), 0);
    assert.equal(stepBetween(before, { at: 1030 - hour, steady: 40 }), -hour);
    assert.equal(stepBetween(before, { at: 1030 + hour, steady: 40 }), hour);
    assert.equal(stepBetween(undefined, before), 0);
  });

  it('is 0 after the machine has slept', () => {
    const before = { at: 1000, steady: 10, uptime: 500 };
    const awake = { at: 1030 + hour, steady: 40, uptime: 530 + hour };
    assert.deepEqual([stepBetween(before, awake), elapsedBetween(before, awake)], [0, 30 + hour]);
  });

  it('is computed from the steady clock where the uptime starts again', () => {
    const before = { at: 1000, steady: 10, uptime: 500 };
    assert.equal(stepBetween(before, { at: 1030, steady: 40, uptime: 3 }), 0);
  });
});

describe('a report', () => {
  it('has its age by the steady clock, also after the wall clock was set', async () => {
    const time = { wall: 100_000, steady: 50 };
    let passes = 0;
    const take = async () => {
      passes++;
      return { ...snapshot([], []), takenAt: time.wall, moment: { steady: time.steady } };
    };
    const clock = { wall: () => time.wall, steady: () => time.steady };
    const thresholds = () => ({ receiveQueueRatio: 0.8, grace: 10, isSingleScan: false });
    const reporter = createReporter(take, { clock, freshness: 1, thresholds });
    const passesAfter = async (wall: number, steady: number) => {
      time.wall += wall;
      time.steady += steady;
      await reporter.get();
      return passes;
    };
    assert.equal(await passesAfter(0, 0), 1);
    assert.equal(await passesAfter(0.5, 0.5), 1, 'fresh');
    assert.equal(await passesAfter(-hour, 0.1), 2, 'set back');
    assert.equal(await passesAfter(-hour, 5), 3, 'set back, and old');
    assert.equal(await passesAfter(hour, 0.1), 4, 'set forward, or the machine slept');
    assert.equal(await passesAfter(0.5, 0.5), 4, 'fresh again');
  });

  it('keeps the duration of a mismatch after a step', async () => {
    const down = instance('core', undefined, [listener(':9000')]);
    let [at, steady] = [100_000, 50];
    const take = async () => ({ ...snapshot([down], []), takenAt: at, moment: { steady } });
    const clock = { wall: () => at, steady: () => steady };
    const thresholds = () => ({ receiveQueueRatio: 0.8, grace: 10, isSingleScan: false });
    const reporter = createReporter(take, { clock, freshness: 0, thresholds });
    await reporter.get();
    at -= hour - 60;
    steady += 60;
    const { verdict, snapshot: shot, history } = await reporter.get();
    assert.equal(shot.takenAt - verdict.mismatches[0]!.since!, 60);
    assert.equal(shot.takenAt - history!.times[0]!, 60);
    assert.equal(history!.times.length, 2, 'two samples, a minute apart');
  });
});

describe('a time stamp in the future', () => {
  const now = 1_000_000;

  it('makes the age of a process unknown', () => {
    assert.equal(ageOf({ startTime: now + hour }, now), undefined);
    assert.equal(ageOf({ startTime: now + 0.02 }, now), 0);
    assert.equal(ageOf({ startTime: now - 5 }, now), 5);
  });

  it('makes no instance expire or flap, and no listener learned', () => {
    const one = known('core', { lastSeen: now + hour, restartTimes: [now + 1000, now + 2000, now + 3000] });
    const state = { ...emptyState, instances: { [one.id]: one } };
    const merged = { rememberedAs: [one.id], origins: ['remembered' as const] };
    assert.equal(isExpired(state, merged, now, 60), false);
    assert.equal(flappingOf(one, now, { count: 3, withinSeconds: 600 }), undefined);
    const socket = { protocol: 'udp', family: 4, address: '0.0.0.0', port: 9, netns: 1, inode: 2 } as const;
    const rules = { learnAfter: 300, remember: day };
    const first = learn({}, 'agent', { sockets: [socket] }, now + hour, rules);
    const second = learn(first, 'agent', { sockets: [socket] }, now, rules);
    assert.deepEqual(
      [second['agent']!['udp/0.0.0.0:9']!.since, second['agent']!['udp/0.0.0.0:9']!.learned],
      [now, false],
    );
    const third = learn(second, 'agent', { sockets: [socket] }, now + 300, rules);
    assert.equal(third['agent']!['udp/0.0.0.0:9']!.learned, true);
    assert.deepEqual(learn(first, 'agent', { sockets: [] }, now, rules), {}, 'not on its way for an hour');
  });
});

describe('the remembered state', () => {
  const now = 1_000_000;

  it('has the same ages after a step, and future time stamps stay', () => {
    const past = known('past', { firstSeen: now - day, lastSeen: now - 60, restartTimes: [now - 600] });
    const future = known('future', { lastSeen: now + day });
    const state = { ...emptyState, instances: { [past.id]: past, [future.id]: future } };
    const moved = shiftTimes(state, 200 * hour, now);
    const { firstSeen, lastSeen, restartTimes } = moved.instances[past.id]!;
    const later = now + 200 * hour;
    assert.deepEqual([later - firstSeen, later - lastSeen, later - restartTimes[0]!], [day, 60, 600]);
    assert.equal(moved.instances[future.id]!.lastSeen, now + day);
    assert.deepEqual(shiftTimes(moved, -200 * hour, later).instances[past.id], past);
  });

  it('counts as of this boot while the boot id is unknown', () => {
    assert.deepEqual(
      [isSameBoot('a', 'a'), isSameBoot('a', 'b'), isSameBoot('a', ''), isSameBoot('', 'b'), isSameBoot(undefined, '')],
      [true, false, true, true, false],
    );
  });
});
