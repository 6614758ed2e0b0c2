/** How often a table is read before a socket counts as absent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Protocol } from '../../src/model/model.js';
import { MOST_READINGS, readUntilFound, type Sought } from '../../src/sockets/consensus.js';
import type { TableReading } from '../../src/sockets/reading.js';
import type { SocketRow } from '../../src/sockets/table.js';

const row = (port: number, inode = port): SocketRow => {
  return { protocol: 'udp', family: 4, address: '127.0.0.1', port, inode, uid: 0, receiveQueue: 0, drops: 0 };
};
const seek = (port: number, spanMs?: number): Sought => {
  return { protocol: 'udp', port, isServedBy: () => true, ...(spanMs !== undefined && { spanMs }) };
};

/** The ports of each reading; the last reading repeats. */
function readings(...shown: number[][]) {
  const asked: (readonly Protocol[])[] = [];
  const read = (protocols: readonly Protocol[]): TableReading => {
    const ports = shown[Math.min(asked.length, shown.length - 1)]!;
    asked.push(protocols);
    return { tables: [{ rows: ports.map((port) => row(port)) }], unread: [], whole: [], gaps: [] };
  };
  return { asked, read };
}

describe('consensus', () => {
  it('one reading is enough if everything is there', async () => {
    const { read } = readings([1, 2]);
    assert.equal((await readUntilFound(read, [seek(1), seek(2)]))?.readings, 1);
  });

  it('a table is read again if something is missing, and the rows of all readings count', async () => {
    const { read } = readings([1], [2], [3]);
    const found = await readUntilFound(read, [seek(1), seek(2), seek(3)]);
    assert.deepEqual(
      found?.found.rows.map(({ port }) => port),
      [1, 2, 3],
    );
    assert.equal(found?.readings, 3);
  });

  it('ends after eight readings', async () => {
    const { read } = readings([1]);
    assert.equal((await readUntilFound(read, [seek(1), seek(9)]))?.readings, MOST_READINGS);
  });

  it('only the tables of the missing protocol are read again', async () => {
    const { asked, read } = readings([1]);
    await readUntilFound(read, [seek(9)]);
    assert.deepEqual(asked.slice(0, 2), [['udp', 'tcp'], ['udp']]);
  });

  it('a table that arrived in one read is complete', async () => {
    const read = (): TableReading => ({ tables: [{ rows: [row(1)] }], unread: [], whole: ['udp'], gaps: [] });
    assert.equal((await readUntilFound(read, [seek(9)]))?.readings, 1);
  });

  it('a port that a reload closed for a moment is waited for', async () => {
    const started = performance.now();
    const read = (): TableReading => {
      const back = performance.now() - started > 30;
      return { tables: [{ rows: back ? [row(9, 77)] : [row(1)] }], unread: [], whole: ['udp', 'tcp'], gaps: [] };
    };
    assert.equal((await readUntilFound(read, [seek(9, 60)]))?.found.at('udp', 9)[0]?.inode, 77);
  });

  it('the readings span the requested time before such a port counts as absent', async () => {
    const started = performance.now();
    let last = started;
    const read = (): TableReading => {
      last = performance.now();
      return { tables: [], unread: [], whole: ['udp', 'tcp'], gaps: [] };
    };
    await readUntilFound(read, [seek(9, 60)]);
    assert.ok(last - started >= 60, `${last - started} ms`);
  });

  it('of a row that was read twice the last reading counts', async () => {
    let drops = 0;
    const read = (): TableReading => ({
      tables: [{ rows: [{ ...row(1), drops: drops++ }] }],
      unread: [],
      whole: [],
      gaps: [],
    });
    assert.equal((await readUntilFound(read, [seek(9)]))?.found.rows[0]?.drops, MOST_READINGS - 1);
  });

  it('a table that cannot be read is not read again', async () => {
    const read = (): TableReading => ({ tables: [], unread: ['udp'], whole: [], gaps: [] });
    const found = await readUntilFound(read, [seek(9)]);
    assert.deepEqual([found?.readings, found?.unread], [1, ['udp']]);
  });

  it('other work runs between two readings', async () => {
    const { read } = readings([]);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    let count = 0;
    await readUntilFound(
      (protocols) => {
        count++;
        const until = performance.now() + 3;
        while (performance.now() < until);
        return read(protocols);
      },
      [seek(9)],
    );
    clearInterval(timer);
    assert.ok(count === MOST_READINGS && turns >= 2, `${turns} turns`);
  });
});
