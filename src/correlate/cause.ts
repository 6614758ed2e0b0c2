/** Why a listener of a running Filebeat has no socket: the likeliest cause first. Pure. */
import type { Cause, Instance, Listener } from '../model.js';
import type { Scene } from './scene.js';

/** The first that applies, in this order: what makes a bind impossible, what took the socket away, what never gave it. */
export function missingCause(instance: Instance, listener: Listener, scene: Scene): Cause {
  const broken = instance.brokenReloads?.find((b) => b.file === listener.declaredIn.file);
  if (broken !== undefined) return { kind: 'reloaded-file-broken', fault: broken.fault };
  const { prediction, process } = instance;
  if (prediction.outcome === 'exits' && prediction.reason !== undefined && instance.basis === 'disk') {
    return { kind: 'hangs-after-refusal', fault: prediction.reason };
  }
  const space = scene.namespaceOf(instance);
  if (listener.target.kind === 'socket') {
    const { address, port } = listener.target;
    const wildcard = address === '0.0.0.0' || address === '::';
    if (!wildcard && space?.addresses !== undefined && !isLocal(address, space.addresses))
      return { kind: 'address-not-local' };
    if (
      space?.unprivilegedPortStart !== undefined &&
      port < space.unprivilegedPortStart &&
      process?.canBindPrivileged === false
    ) {
      return { kind: 'privileged-port', firstUnprivileged: space.unprivilegedPortStart };
    }
  }
  if (instance.basis === 'edited' && listener.reload === undefined)
    return { kind: 'edited-after-start', file: listener.declaredIn.file };
  if (listener.reload !== undefined && process !== undefined) {
    const file = prediction.files.find((f) => f.path === listener.declaredIn.file);
    const edited = file?.mtime !== undefined && file.mtime > process.startTime;
    if (edited && listener.reload.losesPort) return { kind: 'reload-lost-port' };
  }
  return { kind: 'bind-failed', retry: listener.retry };
}

/** `addresses` as `Namespace.addresses` has them: single ones, and local IPv4 ranges such as `127.0.0.0/8`. */
function isLocal(address: string, addresses: readonly string[]): boolean {
  return addresses.some((one) => {
    const [base, bits] = one.split('/');
    if (bits === undefined) return one === address;
    const shift = 32 - Number(bits);
    return !address.includes(':') && word(address) >>> shift === word(base!) >>> shift;
  });
}

function word(ipv4: string): number {
  return ipv4.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0);
}
