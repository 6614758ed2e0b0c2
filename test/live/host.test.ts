import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { createHostReader } from '../../src/discovery/host-details.js';
import { handClock } from '../../src/runtime/clock.js';

describe('host facts', () => {
  it('agree with the kernel', async () => {
    const details = await createHostReader().load();
    assert.equal(details?.hostname, hostname());
    assert.equal(details?.kernel, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    const bootTime = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))![1]);
    assert.ok(Math.abs(details!.bootTime! - bootTime) <= 5, `${details!.bootTime} ${bootTime}`);
    const total = Number(/^MemTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))![1]) * 1024;
    assert.equal(details!.memoryTotal, total);
  });

  it('the first question is answered at once with nothing, a later one with what was loaded; loadings are shared', async () => {
    let now = 1000;
    const reader = createHostReader(handClock(() => now));
    assert.equal(reader.current(), undefined);
    const [first, second] = await Promise.all([reader.load(), reader.load()]);
    assert.equal(first, second);
    assert.equal(reader.current(), first);
    now += 59;
    assert.equal(await reader.load(), first);
    now += 1;
    assert.equal(reader.current(), first, 'old facts are told while new ones are loaded');
    assert.notEqual(await reader.load(), first);
  });
});
