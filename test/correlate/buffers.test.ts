import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { chargePerDatagram, derivedReceiveBuffer, estimateRoom } from '../../src/correlate/buffers.js';
import { createBootClock } from '../../src/proc/boot-clock.js';
import { readHostFacts } from '../../src/proc/kernel.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { parseSocketTable } from '../../src/sockets/parsed-table.js';

const limits = readHostFacts(openProcFs('/proc'), createBootClock(openProcFs('/proc')).read());

/** Fills a socket that is not read until the kernel drops; what the kernel reports, and how many datagrams fit. */
async function fill(payload: number, readBuffer: number, family: 4 | 6 = 4) {
  const type = family === 4 ? 'udp4' : 'udp6';
  const address = family === 4 ? '127.0.0.1' : '::1';
  const [reader, sender] = [createSocket(type), createSocket(type)];
  await new Promise<void>((resolve) => reader.bind(0, address, resolve));
  // Node.js would read even without a listener on `message`.
  (reader as unknown as { _handle: { recvStop(): void } })._handle.recvStop();
  if (readBuffer > 0) reader.setRecvBufferSize(readBuffer);
  const { port } = reader.address();
  const own = () => {
    const text = readFileSync(`/proc/self/net/udp${family === 4 ? '' : '6'}`, 'latin1');
    return parseSocketTable(Buffer.from(text), 'udp', family).rows.find(
      (row) => row.port === port && row.address === address,
    )!;
  };
  let sent = 0;
  let first = 0;
  for (; own().drops === 0; sent++) {
    await new Promise((resolve) => sender.send(Buffer.alloc(payload), port, address, resolve));
    if (sent === 0) first = own().receiveQueue;
  }
  const result = { buffer: reader.getRecvBufferSize(), charge: first, fitting: sent - 1 };
  reader.close();
  sender.close();
  return result;
}

describe('the receive buffer', () => {
  it('is the requested size limited to rmem_max and doubled, and at least the minimum', async () => {
    const sizes = [1, 1152, 1153, 20_000, 100_001, limits.rmemMax! - 1, limits.rmemMax! + 1, 2 ** 30];
    for (const requested of [undefined, ...sizes]) {
      const socket = createSocket('udp4');
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      if (requested !== undefined) socket.setRecvBufferSize(requested);
      assert.equal(derivedReceiveBuffer(requested, limits), socket.getRecvBufferSize(), `requested ${requested}`);
      socket.close();
    }
  });

  it('is unknown if the limit cannot be read', () => {
    assert.equal(derivedReceiveBuffer(undefined, {}), undefined);
    assert.equal(derivedReceiveBuffer(8192, { rmemDefault: 212_992 }), undefined);
    assert.equal(derivedReceiveBuffer(0, { rmemDefault: 212_992 }), 212_992);
  });

  it('has room for as many datagrams as the estimate says', async () => {
    for (const payload of [0, 100, 150, 500, 632, 1400, 1656, 3000, 9000, 20_000]) {
      const { buffer, charge, fitting } = await fill(payload, 50_000);
      assert.equal(chargePerDatagram(payload), charge, `${payload} bytes`);
      assert.equal(Math.floor(buffer / charge), fitting, `${payload} bytes`);
    }
    assert.equal((await fill(184, 10_000, 6)).charge, chargePerDatagram(184));
    assert.deepEqual(estimateRoom(0, 212_992).datagrams, [
      { payload: 150, fit: 256 },
      { payload: 500, fit: 166 },
      { payload: 1400, fit: 92 },
    ]);
    assert.equal((await fill(150, 212_992 / 2)).fitting, 256);
  });

  it('has no room when it is full, even if the kernel let it overflow', () => {
    assert.deepEqual(estimateRoom(214_000, 212_992), {
      free: 0,
      datagrams: [150, 500, 1400].map((payload) => ({ payload, fit: 0 })),
    });
  });
});
