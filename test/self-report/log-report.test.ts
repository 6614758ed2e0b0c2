/** Figures and failures from a log over time, with missing lines, and silence. Pure. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogFact } from '../../src/self-report/log/log-line.js';
import { readLogLine } from '../../src/self-report/log/log-line.js';
import {
  emptyLogState,
  type LogContext,
  type LogResult,
  type LogState,
  reportFacts,
} from '../../src/self-report/log/log-report.js';
import { noteSample, silenceOf } from '../../src/self-report/silence.js';
import { emptyStoredReport, storedReportFor } from '../../src/self-report/stored-report.js';
import { idKey } from '../../src/self-report/subject.js';
import { figuresOf } from '../../src/self-report/track.js';
import { evening, metricsLine, type Period, said } from '../support/filebeat-log.js';

const context: LogContext = {
  startTime: evening,
  leaks: false,
  keyOf: ({ id, device }, devices) => device ?? devices[idKey(id)],
};

const fact = (at: number, period: Period): LogFact => readLogLine(metricsLine('json', evening + at, period))!;

/** Adds the lines of one scan after the other. */
function tell(...looks: LogFact[][]): LogResult {
  let told: LogResult = {
    state: emptyLogState,
    stored: storedReportFor(emptyStoredReport('log 1:1'), 'log 1:1'),
    broken: false,
    countedTo: 0,
  };
  for (const facts of looks) told = reportFacts(told.state, told.stored, facts, context);
  return told;
}

const outputOf = (state: LogState) => figuresOf(state.track, true, false);

describe('a log with missing lines', () => {
  it('does not mean a failing output if one event waited before and another after', () => {
    const { state, broken } = tell([fact(30, { in: 1, active: 1 })], [fact(300, { in: 1, active: 1 })]);
    assert.equal(outputOf(state).output, 'unknown');
    assert.equal(outputOf(state).outputForSeconds, undefined);
    assert.equal(broken, true);
  });

  it('continues a failure if the period after the break shows the same', () => {
    const { state } = tell(
      [30, 60, 90].map((at) => fact(at, { in: 100, active: (at / 30) * 100 })),
      [fact(300, { in: 100, active: 1000 })],
    );
    assert.deepEqual([outputOf(state).output, outputOf(state).outputForSeconds], ['down', 270]);
  });

  it('ends a failure if the period after the break is unclear', () => {
    const { state } = tell(
      [30, 60, 90].map((at) => fact(at, { in: 100, active: (at / 30) * 100 })),
      [fact(300, { in: 1, active: 1 })],
    );
    assert.equal(outputOf(state).outputForSeconds, undefined);
  });

  it('a single line is a whole period', () => {
    const waits = tell([fact(3600, { in: 500, active: 3201 })]);
    assert.deepEqual([outputOf(waits.state).output, outputOf(waits.state).full], ['down', true]);
    const first = tell([fact(30, { in: 500, active: 500 })]);
    assert.equal(outputOf(first.state).output, 'unknown');
    const flows = tell([fact(3600, { in: 500, acked: 480, active: 40 })]);
    assert.equal(outputOf(flows.state).output, 'flowing');
  });

  it('differs from a continuous one, also across an error line', () => {
    assert.equal(tell([fact(30, { active: 0 })], [fact(60, { active: 0 })]).broken, false);
    const word = readLogLine(said('json', evening + 50, 'failed to publish events: x'))!;
    const told = tell([fact(30, { active: 0 })], [word, fact(60, { active: 0 })], [fact(90, { active: 0 })]);
    assert.deepEqual([told.broken, told.stored.errors.output_publish], [false, 1]);
  });

  it('counts every line of one millisecond, and none twice', () => {
    const words = ['one', 'two', 'three'].map((text) => readLogLine(said('json', evening + 5, text))!);
    assert.equal(tell(words).stored.errors.other, 3);
    assert.equal(tell(words, words).stored.errors.other, 3);
  });

  it('continues after the clock was set back', () => {
    const { state, stored } = tell(
      [fact(3600, { in: 5, acked: 5, active: 0 })],
      [fact(30, { in: 7, acked: 7, active: 0 })],
    );
    assert.equal(state.at, evening + 30);
    assert.equal(stored.counts.acked, 12);
  });
});

describe('facts that are logged once, after the start', () => {
  it('are read from the beginning of the file, and count nothing', () => {
    const head = [
      fact(30, { in: 900, acked: 900, active: 0, queueMax: 65_536, inputs: { a: { received: 9, device: ':514' } } }),
    ];
    const line = readLogLine(
      metricsLine('json', evening + 9000, {
        in: 5000,
        acked: 1,
        active: 5000,
        once: false,
        inputs: { a: { received: 3 } },
      }),
    )!;
    const told = reportFacts(emptyLogState, emptyStoredReport('log 1:1'), [line], context, head);
    assert.equal(told.stored.counts.events, 5000);
    assert.equal(told.stored.listeners[':514']?.received?.total, 3);
    assert.deepEqual(
      [outputOf(told.state).queueMax, outputOf(told.state).full, outputOf(told.state).outputType],
      [65_536, undefined, 'logstash'],
    );
  });
});

describe('an arrival at a listener', () => {
  it('has the time of the end of its period, and never a later one than now', () => {
    const line = fact(3600, { active: 0, inputs: { a: { received: 3, device: ':514' } } });
    const last = (now?: number) => {
      const told = reportFacts(emptyLogState, emptyStoredReport('log 1:1'), [line], {
        ...context,
        ...(now === undefined ? {} : { now }),
      });
      return told.stored.listeners[':514']?.arrivals?.last;
    };
    assert.equal(last(evening + 3605), evening + 3600);
    assert.equal(last(evening + 30), evening + 30);
  });
});

describe('an input that fails', () => {
  it('is identified by its host, or by an id that the log named before', () => {
    const facts = [
      said('json', evening + 1, "Input 'udp' failed with: x", { id: 'one' }),
      said('json', evening + 2, 'Cannot connect', { id: 'two', host: 'localhost:515' }),
    ].map((line) => readLogLine(line)!);
    const stored = { ...emptyStoredReport('log 1:1'), devices: { [idKey('one')]: '0.0.0.0:514' } };
    const { state } = reportFacts(emptyLogState, stored, facts, context);
    assert.deepEqual(state.failed, { '0.0.0.0:514': evening + 1, 'localhost:515': evening + 2 });
  });

  it('a failed start has the reason of its failed bind', () => {
    const line = said(
      'json',
      evening,
      'Exiting: could not start the HTTP server for the API: listen tcp 127.0.0.1:5066: bind: address already in use',
    );
    assert.deepEqual(readLogLine(line), { kind: 'exiting', at: evening, why: 'in-use' });
  });
});

describe('silence with a break in the figures', () => {
  const learned = Array.from({ length: 500 }, (_, n) => n * 60).reduce(
    (arrivals, at) => noteSample(arrivals, at, true, true),
    undefined as ReturnType<typeof noteSample> | undefined,
  )!;

  it('counts from the break', () => {
    const end = 499 * 60;
    const back = noteSample(learned, end + 7200, false, false);
    assert.equal(silenceOf(back, end + 7200, 900), undefined);
    assert.deepEqual(silenceOf(back, end + 7200 + 1000, 900), { forSeconds: 1000, never: false });
  });

  it('continues where nothing can have been missed', () => {
    const end = 499 * 60;
    assert.deepEqual(silenceOf(noteSample(learned, end + 7200, false, true), end + 7200, 900), {
      forSeconds: 7200,
      never: false,
    });
  });

  it('adds no pause that was not observed', () => {
    const end = 499 * 60;
    const back = noteSample(noteSample(learned, end + 7200, false, false), end + 7260, true, true);
    assert.deepEqual(back.pauses, [[0, 60]]);
  });
});
