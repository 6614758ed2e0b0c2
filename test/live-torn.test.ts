/**
 * The kernel's socket tables tear while sockets come and go. TORN_SCANS sets how many scans are made, and
 * `npm run test:live` prints the counts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { readTables } from '../src/sockets/reading.js';
import { at, createLooker, freePort, want } from './support/live.js';
import { type StandIn, startStandIn } from './support/stand-in.js';

const SCANS = Number(process.env['TORN_SCANS'] ?? 300);
const LISTENERS = 15;
const IDLE = 300;

const started: StandIn[] = [];
after(() => Promise.all(started.map((one) => one.stop())));

/** A generator at work, and how many sockets it opened so far. */
async function startChurn(rate: number) {
  const child = spawn(process.execPath, [new URL('support/churn.js', import.meta.url).pathname, `${IDLE}`, `${rate}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let opened = 0;
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'ready') resolve();
      else opened = Number(line);
    });
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    opened: () => opened,
    stop: () => {
      child.stdin.end();
      return ended;
    },
  };
}

describe('torn tables', () => {
  let tornInAll = 0;
  for (const [what, rate] of [
    ['4,000 sockets a second', 4000],
    ['as many as can be', 0],
  ] as const)
    it(`never make a listener missing while ${what} open and close`, async (context) => {
      const ports: number[] = [];
      while (ports.length < LISTENERS) {
        const port = await freePort();
        if (!ports.includes(port)) ports.push(port);
      }
      const one = await startStandIn({ argv: ['filebeat'], sockets: ports.map((port) => `udp 127.0.0.1:${port}`) });
      started.push(one);
      const churn = await startChurn(rate);
      const looker = createLooker();
      let torn = 0;
      let missed = 0;
      let unowned = 0;
      let readings = 0;
      let worst = 0;
      for (let scan = 0; scan < SCANS; scan++) {
        const single = readTables(looker.procfs, { path: 'self' }, ['udp'])!.rows;
        if (!ports.every((port) => single.some((row) => row.port === port))) torn++;
        const { look } = await looker.look((all) => ports.map((port) => want(all.hostNetns, port)));
        const held = ports.map((port) => at(look, port)[0]?.owners[0]?.pid);
        if (!ports.every((port) => at(look, port).length > 0)) missed++;
        else if (!held.every((pid) => pid === one.pid)) unowned++;
        readings += look.tableReads;
        worst = Math.max(worst, look.tableReads);
        // The generator has to get its turn on a machine with few processors.
        await new Promise((resolve) => setImmediate(resolve));
      }
      await one.kill();
      const { look } = await looker.look((all) => ports.map((port) => want(all.hostNetns, port)));
      const afterKill = ports.filter((port) => at(look, port).length > 0);
      await churn.stop();
      context.diagnostic(
        `${SCANS} scans, about ${churn.opened()} sockets opened: a single reading missed a listener ${torn} times, ` +
          `the scanner ${missed} times with ${readings} readings (at most ${worst} in one scan)`,
      );
      assert.equal(missed, 0);
      assert.equal(unowned, 0);
      assert.deepEqual(afterKill, []);
      tornInAll += torn;
    });

  it('were put to the test: a single reading was wrong more than once in the same run', () => {
    assert.ok(tornInAll > 1, `${tornInAll} times`);
  });
});
