/**
 * `/proc/<pid>/cgroup`, both hierarchies (cgroups(7)): which systemd unit and which container a process is of.
 * Lines are `id:controllers:path`; version 2 is `0::/system.slice/filebeat.service`.
 */

export interface Membership {
  unit?: string;
  /** Container id (first 12 hex digits), or machine or container name. */
  container?: string;
}

/** Docker, podman, cri-o and containerd put the 64 hex digits last, with or without `cri-containerd-….scope` around them. */
const ID = /(?:^|[-:/])([0-9a-f]{64})(?:\.scope)?$/;
/** `machine-web\x2d1.scope`, `systemd-nspawn@web.service`; `/lxc/web`, `/lxc.payload.web`, `/lxc.payload/web`. */
const MACHINE = /^machine-(.+)\.scope$/;
const NSPAWN = /^systemd-nspawn@(.+)\.service$/;
const LXC = /^lxc(?:\.payload)?\.(.+)$/;

export function parseCgroup(text: string): Membership {
  let container: string | undefined;
  let unit: string | undefined;
  for (const path of membershipPaths(text)) {
    const parts = path.split('/').filter((part) => part !== '');
    const inner = innerParts(parts);
    container ??= containerOf(parts);
    // Inside a container the unit that counts is the container's own, if it runs systemd.
    unit ??= unitOf(inner);
  }
  return { ...(unit !== undefined && { unit }), ...(container !== undefined && { container }) };
}

/** Version 2 first, then systemd's own hierarchy of version 1, then the others in their order. */
function membershipPaths(text: string): string[] {
  const rows: { rank: number; path: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (!match) continue;
    const [, id, controllers, path] = match as unknown as [string, string, string, string];
    const rank = controllers === 'name=systemd' ? 1 : id === '0' && controllers === '' ? 0 : 2;
    rows.push({ rank, path });
  }
  return rows.sort((a, b) => a.rank - b.rank).map((row) => row.path);
}

function containerOf(parts: string[]): string | undefined {
  for (let index = parts.length - 1; index >= 0; index--) {
    const part = parts[index]!;
    const id = ID.exec(part);
    if (id) return id[1]!.slice(0, 12);
    const named = MACHINE.exec(part) ?? NSPAWN.exec(part) ?? LXC.exec(part);
    // `lxc.monitor.web` is the host's side of a container.
    if (named && !part.startsWith('lxc.monitor')) return unescapeUnit(named[1]!);
    if ((parts[index - 1] === 'lxc' || parts[index - 1] === 'lxc.payload') && part !== '') return part;
  }
  return undefined;
}

/** The parts below the container's own cgroup; all of them outside of containers. */
function innerParts(parts: string[]): string[] {
  for (let index = parts.length - 1; index >= 0; index--) {
    const part = parts[index]!;
    if (ID.test(part) || MACHINE.test(part) || NSPAWN.test(part) || LXC.test(part)) return parts.slice(index + 1);
    if (parts[index - 1] === 'lxc' || parts[index - 1] === 'lxc.payload') return parts.slice(index + 1);
  }
  return parts;
}

/**
 * The innermost `.service`; `user@1000.service` only when nothing more particular stands below it.
 * Below a delegated unit further groups may follow, so the last part need not be the unit.
 */
function unitOf(parts: string[]): string | undefined {
  for (let index = parts.length - 1; index >= 0; index--) {
    const part = parts[index]!;
    if (part.endsWith('.service')) return unescapeCgroup(part);
  }
  return undefined;
}

/** systemd puts `_` before names that the kernel reserves: `_cgroup.service`. */
function unescapeCgroup(name: string): string {
  return name.startsWith('_') ? name.slice(1) : name;
}

/** `web\x2d1` → `web-1`. Machine names only; a unit's name is shown as systemctl takes it. */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
