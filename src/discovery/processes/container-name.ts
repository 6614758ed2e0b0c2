/**
 * The name of a container that stays when its engine recreates it under a new id. Docker writes it to
 * `/var/lib/docker/containers/ID/config.v2.json`, podman to its storage list; for a Kubernetes pod the control group has the
 * pod's uid. Nothing but the name is kept of these files: they contain environments.
 */
import type { Membership } from '../../proc/cgroup.js';
import { openFileView } from '../../proc/files/root-files.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { isRecord, parseJson } from '../../runtime/json.js';

const mostBytes = 4 * 1024 * 1024;

/**
 * `docker web`, `podman web`, `pod 0d4a-…`. Only for containers of the system's engines: a user could write any name into the
 * files of his own.
 */
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
  const docker = fieldOf(readJson(rootfs, `/var/lib/docker/containers/${id}/config.v2.json`), 'Name');
  if (typeof docker === 'string' && docker !== '') return `docker ${docker.replace(/^\//, '')}`;
  const list = readJson(rootfs, '/var/lib/containers/storage/overlay-containers/containers.json');
  const row: unknown = Array.isArray(list) ? list.find((one) => fieldOf(one, 'id') === id) : undefined;
  const names = fieldOf(row, 'names');
  const podman: unknown = Array.isArray(names) ? names[0] : undefined;
  return typeof podman === 'string' && podman !== '' ? `podman ${podman}` : undefined;
}

function readJson(rootfs: string, path: string): unknown {
  const file = openFileView(rootfs).read(path, mostBytes);
  // Not JSON: the engine is writing it just now, or it is not the engine's file.
  return file.ok ? parseJson(Buffer.from(file.value.bytes).toString('utf8')) : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
