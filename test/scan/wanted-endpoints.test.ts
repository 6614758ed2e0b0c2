/** Which endpoints the socket scanner looks for, and that they stay the same objects from scan to scan. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StaticPort } from '../../src/model/model.js';
import { wantedOf } from '../../src/scan/wanted-endpoints.js';
import { hostNetns, instance, listener, now, prediction } from '../support/build.js';

const host = { netns: hostNetns, ipv6: true };
const ports: StaticPort[] = [{ port: 514, protocol: 'udp' }];

describe('wanted endpoints', () => {
  it('are the same array in the next scan, whose instances are other objects', () => {
    const listeners = [listener('0.0.0.0:9001'), listener('0.0.0.0:9000')];
    const wanted = (name: string) => wantedOf([instance(name, 11, listeners)], ports, host, now);
    const first = wanted('a');
    assert.deepEqual(
      first.map(({ port }) => port),
      [9000, 9001, 514],
    );
    assert.equal(wanted('a'), first);
    assert.equal(wanted('b')[0]?.instance?.id, 'id-b');
  });

  it('depend on whether the instance runs, and where', () => {
    const listeners = [listener(':9000')];
    const running = instance('a', 11, listeners);
    const [wanted] = wantedOf([running], ports, host, now);
    assert.deepEqual([wanted?.optional, wanted?.netns], [undefined, hostNetns]);
    const [down] = wantedOf([instance('a', undefined, listeners)], ports, host, now);
    assert.equal(down?.optional, true);
    const [elsewhere] = wantedOf([instance('a', undefined, listeners, { netns: 7 })], ports, host, now);
    assert.equal(elsewhere?.netns, 7);
  });

  it('are waited for while the file of a reloaded input is new, and no longer', () => {
    const declaredIn = { ...listener('0.0.0.0:9000').declaredIn, file: '/etc/filebeat/inputs.d/a.yml' };
    const listeners = [listener('0.0.0.0:9000', { reload: { periodSeconds: 10 }, declaredIn })];
    const file = { path: declaredIn.file, reloaded: true };
    const span = (mtime: number) => {
      const files = [{ ...file, mtime }] as ReturnType<typeof prediction>['files'];
      return wantedOf(
        [instance('a', 11, listeners, { prediction: prediction(listeners, { files }) })],
        [],
        host,
        now,
      )[0]?.spanMs;
    };
    assert.deepEqual([span(now - 100), span(now - 20), span(now - 21), span(now)], [undefined, 60, undefined, 60]);
  });
});
