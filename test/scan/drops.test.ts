/** Drops of an instance, as the same object from scan to scan. That they are right: `verdict-cache.test.ts`, `ledger.test.ts`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Socket } from '../../src/model/model.js';
import { accountForDrops } from '../../src/scan/drops.js';
import { indexSockets } from '../../src/scan/socket-index.js';
import type { Ledger } from '../../src/state/ledger.js';
import { instance, listener, now, socket } from '../support/build.js';

describe('drops of an instance', () => {
  const listeners = [listener('0.0.0.0:9000'), listener('0.0.0.0:9001')];
  const core = instance('core', 11, listeners);
  const scan = (ledger: Ledger, sockets: Socket[], name = 'core') =>
    accountForDrops(ledger, [{ ...core, name }], indexSockets(sockets, true), { now, bootId: 'boot' });
  const sockets = [socket('0.0.0.0:9000', 11, { drops: 3 }), socket('0.0.0.0:9001', 11)];

  it('are the same object while only a queue changes, and others where a socket drops', () => {
    const first = scan({}, sockets);
    assert.deepEqual(first.drops['id-core'], {
      'udp|*|9000': { total: 3, recent: 0 },
      'udp|*|9001': { total: 0, recent: 0 },
    });
    const queued = [sockets[0]!, { ...sockets[1]!, receiveQueue: 832 }];
    const second = scan(first.ledger, queued);
    assert.equal(second.drops['id-core'], first.drops['id-core']);
    assert.equal(second.ledger, first.ledger);
    const third = scan(second.ledger, [{ ...sockets[0]!, drops: 5 }, sockets[1]!]);
    assert.deepEqual(third.drops['id-core']?.['udp|*|9000'], { total: 5, recent: 2 });
  });

  it('are counted again under another name, and in a ledger that does not have them', () => {
    const first = scan({}, sockets);
    assert.equal(Object.keys(scan(first.ledger, sockets, 'edge').ledger).length, 4);
    assert.deepEqual(scan({}, sockets).ledger, first.ledger);
  });
});
