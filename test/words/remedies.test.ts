/** A remedy names only what is known to start this Filebeat. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Mismatch } from '../../src/model/model.js';
import { parseCgroup } from '../../src/proc/cgroup.js';
import { ownUserUnit } from '../../src/state/remembered-row.js';
import { words } from '../../src/words/words.js';
import { instance, judge, listener, process, snapshot } from '../support/build.js';

const id = 'a'.repeat(64);
const short = 'a'.repeat(12);

function missing(rest: Partial<Mismatch>): string {
  const cause = { kind: 'bind-failed', retry: 'never' } as const;
  return words({
    code: 'port_missing',
    name: 'core',
    pid: 4711,
    protocol: 'udp',
    address: '*',
    port: 9000,
    cause,
    ...rest,
  }).remedy;
}

describe('the engine of a container', () => {
  const cases: [string, string | undefined][] = [
    [`/system.slice/docker-${id}.scope`, 'docker'],
    [`/docker/${id}`, 'docker'],
    [`/machine.slice/libpod-${id}.scope`, 'podman'],
    [`/machine.slice/libpod-${id}.scope/container`, 'podman'],
    [`/libpod_parent/libpod-${id}`, 'podman'],
    [`/system.slice/web.service/libpod-payload-${id}`, 'podman'],
    [`/system.slice/nerdctl-${id}.scope`, 'nerdctl'],
    [`/kubepods.slice/kubepods-pod1a_2b.slice/cri-containerd-${id}.scope`, 'cri'],
    [`/kubepods.slice/kubepods-pod1a_2b.slice/crio-${id}.scope`, 'cri'],
    [`/kubepods/burstable/pod1a-2b/${id}`, 'cri'],
    [`/kubepods.slice/kubepods-pod1a_2b.slice/docker-${id}.scope`, 'docker'],
    [`/user.slice/user-1001.slice/user@1001.service/user.slice/libpod-${id}.scope`, 'podman'],
    [`/some/${id}`, undefined],
    ['/machine.slice/machine-web.scope', undefined],
    ['/system.slice/filebeat.service', undefined],
  ];
  for (const [path, engine] of cases)
    it(`is ${engine ?? 'not known'} by ${path.replaceAll(id, 'ID')}`, () => {
      assert.equal(parseCgroup(`0::${path}\n`).engine, engine);
    });
});

describe('the remedy', () => {
  it('uses the container’s own engine and its name there', () => {
    assert.equal(missing({ container: { id: short, engine: 'docker', name: 'web' } }), 'sudo docker restart web');
    assert.equal(missing({ container: { id: short, engine: 'podman' } }), `sudo podman restart ${short}`);
    assert.match(
      missing({ container: { id: short, engine: 'cri' } }),
      new RegExp(`kubelet .*: sudo crictl stop ${short}$`),
    );
    assert.equal(
      missing({ container: { id: short, engine: 'podman', uid: 1001 } }),
      `sudo -iu '#1001' podman restart ${short}`,
    );
  });

  it('names no engine if it is not known', () => {
    assert.equal(missing({ container: { id: 'web' } }), 'restart its container, web');
  });

  it('does not confuse a unit of the host with one of the same name inside the container', () => {
    const container = { id: short, engine: 'docker' as const };
    assert.equal(
      missing({ container, unit: 'filebeat.service', unitIsOnlyCgroup: true }),
      `sudo docker restart ${short}`,
    );
    const log = words({
      code: 'output_failing',
      cause: { kind: 'none' },
      container,
      unit: 'filebeat.service',
      unitIsOnlyCgroup: true,
    });
    assert.equal(log.command, `sudo docker logs --tail 50 ${short}`);
  });

  it('names the parent if there is no unit, with the command lines of both', () => {
    const told = missing({ unit: 'cron.service', unitIsOnlyCgroup: true, parent: { pid: 812, comm: 'supervisord' } });
    assert.match(told, /the way pid 812 \(supervisord\) started it; to see both command lines: ps .* -p 812,4711$/);
    assert.doesNotMatch(told, /cron|systemctl/);
  });

  it('names a user’s unit only if that user’s manager has started it', () => {
    const own = { userUnit: { uid: 1001, unit: 'filebeat.service' } };
    const by = (comm: string) => ownUserUnit(process(4711, { ...own, parent: { pid: 900, comm } }));
    assert.deepEqual(by('systemd'), own.userUnit);
    assert.equal(by('tmux: server'), undefined);
    const { mismatches } = judge(snapshot([instance('core', undefined, [listener(':9000')], own)], []));
    assert.equal(words(mismatches[0]!).command, 'sudo systemctl --user -M 1001@ start filebeat.service');
  });
});
