import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createHostReader } from '../../src/discovery/host-details.js';
import { handClock } from '../support/hand-clock.js';
import { until } from '../support/live.js';

describe('host facts', () => {
  it('agree with the kernel', async () => {
    const reader = createHostReader();
    const details = await until('facts', () => reader.current());
    assert.equal(details.kernel, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    const total = Number(/^MemTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))![1]) * 1024;
    assert.equal(details.memoryTotal, total);
  });

  it('are undefined until the first load ends; old ones are returned while new ones load', async () => {
    let now = 1000;
    const reader = createHostReader(handClock(() => now));
    assert.equal(reader.current(), undefined);
    const first = await until('the first facts', () => reader.current());
    now += 59;
    assert.equal(reader.current(), first);
    now += 1;
    assert.equal(reader.current(), first);
    await until('new facts', () => reader.current() !== first);
  });
});
