import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, type LogOptions } from '../../src/runtime/log.js';
import { hostileNames } from '../support/report.js';

function logger(over: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'logfmt',
    now: () => 0,
    write: (line) => lines.push(line),
    ...over,
  });
  return { log, lines };
}

test('a logfmt line has time, level, message and fields', () => {
  const { log, lines } = logger();
  log.info('listening', () => ({ address: '127.0.0.1:9117', note: 'two words', absent: undefined, n: 3 }));
  assert.deepEqual(lines, [
    'ts=1970-01-01T00:00:00.000Z level=info msg=listening address=127.0.0.1:9117 note="two words" n=3',
  ]);
});

test('a JSON line is one object', () => {
  const { log, lines } = logger({ format: 'json' });
  log.warn('odd', () => ({ name: 'a"b' }));
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    ts: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    msg: 'odd',
    name: 'a"b',
  });
});

test('a line below the level costs nothing: its fields are not computed', () => {
  const { log, lines } = logger({ level: 'warn' });
  log.info('quiet', () => assert.fail('fields were made'));
  log.debug('quiet', () => assert.fail('fields were made'));
  log.error('loud');
  assert.equal(lines.length, 1);
});

test('a state is logged when it changes, not on every scan', () => {
  const { log, lines } = logger();
  for (const state of ['ok', 'ok', 'bad', 'bad', 'bad', 'ok'])
    log.change('state file', state, { level: 'warn', message: `now ${state}` }, 'ok');
  assert.deepEqual(
    lines.map((line) => /msg=(.*)/.exec(line)?.[1]),
    ['"now bad"', '"now ok"'],
  );
  log.change('other', 'bad', { level: 'warn', message: 'other' });
  assert.equal(lines.length, 3);
});

test('hostile names stay on one line and contain no control characters', () => {
  for (const format of ['logfmt', 'json'] as const) {
    const { log, lines } = logger({ format });
    for (const name of Object.values(hostileNames)) log.error(name, () => ({ name }));
    for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  }
});
