/**
 * The name that a container keeps when its engine makes it anew, which gives it another id. Docker writes it in
 * `/var/lib/docker/containers/ID/config.v2.json`, podman in the list of its storage; the containers of a Kubernetes pod
 * have the pod's uid in their control group. Of those files nothing but the name is kept: they hold environments.
 */
import type { Membership } from '../../proc/cgroup.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { openFileView } from '../../proc/root-files.js';

const largest = 4 * 1024 * 1024;

/** `docker web`, `podman web`, `pod 0d4a-…`. Of containers of the system only: what a user's engine writes is the user's. */
export function containerNameOf(
  procfs: ProcFs,
  rootfs: string,
  pid: number,
  { container, nest, pod, user }: Membership,
): string | undefined {
  if (container === undefined || nest !== undefined || user !== undefined) return undefined;
  if (pod !== undefined) return `pod ${pod}`;
  if (!/^[0-9a-f]{12}$/.test(container)) return undefined;
  const text = procfs.piece(`${pid}/cgroup`);
  const id = text.ok ? /[0-9a-f]{64}/.exec(text.value)?.[0] : undefined;
  if (id === undefined || !id.startsWith(container)) return undefined;
  const docker = record(json(rootfs, `/var/lib/docker/containers/${id}/config.v2.json`))['Name'];
  if (typeof docker === 'string' && docker !== '') return `docker ${docker.replace(/^\//, '')}`;
  const listed = json(rootfs, '/var/lib/containers/storage/overlay-containers/containers.json');
  const names = record(Array.isArray(listed) ? listed.find((one) => record(one)['id'] === id) : undefined)['names'];
  const podman: unknown = Array.isArray(names) ? names[0] : undefined;
  return typeof podman === 'string' && podman !== '' ? `podman ${podman}` : undefined;
}

function json(rootfs: string, path: string): unknown {
  const file = openFileView(rootfs).read(path, largest);
  if (!file.ok) return undefined;
  try {
    return JSON.parse(Buffer.from(file.value.bytes).toString('utf8'));
  } catch {
    return undefined; // Written at this very moment, or not by an engine.
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
