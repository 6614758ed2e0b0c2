/**
 * `/proc/<pid>/cgroup`, both hierarchies (cgroups(7)): the systemd unit, user and container that a process belongs to.
 * Lines are `id:controllers:path`; version 2 is `0::/system.slice/filebeat.service`.
 *
 * A path proves what root did, except below a user's own manager (`user@1000.service`) and below a service that creates groups
 * for itself: there a user can create groups of any name. So the system's unit is the first part that is no slice, and a
 * container's id counts only where its engine puts it. A path that begins with `/../` leads out of the exporter's own group; its
 * absolute form is known only if the exporter's own group is: see `own-cgroup.ts`.
 */
import { posix } from 'node:path';
import type { ContainerEngine } from '../model/model.js';
import { UNKNOWN_PART } from './own-cgroup.js';

/** What the control group of a process shows; absent fields are unknown or do not apply. */
export interface Membership {
  /** Unit of the host's systemd; inside a container the container's own. */
  unit?: string;
  /** That unit runs commands of users (cron, at, a login), so it does not show who owns the process. */
  servesUsers?: true;
  /** Container id (first 12 hex digits), or machine or container name. */
  container?: string;
  /** The container engine, where the name of the group shows it. */
  engine?: ContainerEngine;
  /** Nested containers, outermost first: `4a7d…/81fe…`. Processes in a container can create groups of any name below its own. */
  nest?: string;
  /** Uid of the Kubernetes pod, which stays when a container in it is recreated. */
  pod?: string;
  /** Uid of the user in whose slice or below whose manager it is; that user creates the groups there. */
  user?: number;
  /** Unit of that user's manager. */
  userUnit?: string;
}

/** Docker, podman, cri-o and containerd put the 64 hex digits last, with or without `cri-containerd-….scope` around them. */
const ID = /(?:^|[-:/])([0-9a-f]{64})(?:\.scope)?$/;
/** `machine-web\x2d1.scope`, `systemd-nspawn@web.service`; `/lxc/web`, `/lxc.payload.web`, `/lxc.payload/web`. */
const MACHINE = /^machine-(.+)\.scope$/;
const NSPAWN = /^systemd-nspawn@(.+)\.service$/;
const LXC = /^lxc(?:\.payload)?\.(.+)$/;
/** Services below which an engine creates the groups of its containers. */
const ENGINE =
  /^(?:systemd-nspawn@.+|docker|containerd|crio|podman|kubelet|k3s(?:-agent)?|rke2-(?:server|agent)|lxc(?:@.+)?|lxd|incus|snap\.(?:docker|lxd|microk8s)\..+|ecs|nomad)\.service$/;
/** Services that run commands as the users who ask for them, in the service's own group. */
const SERVES_USERS =
  /^(?:cron|crond|cronie|anacron|fcron|incron|incrond|bcron.*|atd|sshd?|sshd?@.*|dropbear.*|getty@.*|serial-getty@.*|xinetd|inetd|openbsd-inetd|slurmd|gdm3?|lightdm|sddm|xdm|xrdp.*)\.service$/;
/** `kubepods-burstable-pod1a_2b.slice`, `pod1a-2b`. */
const POD = /(?:^|-)pod([0-9a-f][0-9a-f_-]*)(?:\.slice)?(?::|$)/;

/** `own`: see `readOwnCgroup`. */
export function parseCgroup(text: string, own = ''): Membership {
  const path = membershipPaths(text).find((one) => one !== '/');
  if (path === undefined) return {};
  if (own === '') return path === '/..' || path.startsWith('/../') ? {} : membershipOf(path);
  const whole = posix.normalize(`${own}${path}`);
  return whole.split('/').includes(UNKNOWN_PART) ? {} : membershipOf(whole);
}

function membershipOf(path: string): Membership {
  const parts = path.split('/').filter((part) => part !== '');
  const user = userOf(parts);
  const unit = parts.find((part) => !part.endsWith('.slice'));
  const isService = unit?.endsWith('.service') === true && user === undefined;
  const isEngine = isService && ENGINE.test(unit);
  const containers = isService && !isEngine ? ownContainer(parts, unit) : containersOf(parts);
  const container = containers.at(-1);
  // Inside a container the unit that counts is the container's own, if it runs systemd.
  const inner = container !== undefined && (isEngine || !isService);
  const own = inner ? unitOf(innerParts(parts)) : isService ? unit : undefined;
  const userUnit = user === undefined || container !== undefined ? undefined : unitBelowManager(parts);
  const pod = user === undefined && container !== undefined ? podOf(parts) : undefined;
  return {
    ...(own !== undefined && { unit: unescapeCgroup(own) }),
    ...(container === undefined && own !== undefined && SERVES_USERS.test(own) && { servesUsers: true as const }),
    ...(container !== undefined && { container }),
    ...engineOf(parts, container),
    ...(containers.length > 1 && { nest: containers.join('/') }),
    ...(pod !== undefined && { pod }),
    ...(user !== undefined && { user }),
    ...(userUnit !== undefined && { userUnit: unescapeCgroup(userUnit) }),
  };
}

/** `user-1000.slice` or `user@1000.service`, preceded by nothing but slices. */
function userOf(parts: string[]): number | undefined {
  for (const part of parts) {
    const user = /^user-(\d+)\.slice$|^user@(\d+)\.service$/.exec(part);
    if (user) return Number(user[1] ?? user[2]);
    if (!part.endsWith('.slice')) return undefined;
  }
  return undefined;
}

function unitBelowManager(parts: string[]): string | undefined {
  const manager = parts.findIndex((part) => /^user@\d+\.service$/.test(part));
  if (manager < 0) return undefined;
  const unit = parts.slice(manager + 1).find((part) => !part.endsWith('.slice'));
  return unit?.endsWith('.service') ? unit : undefined;
}

/** Podman in a unit of its own (`--cgroups=split`, Quadlet): `web.service/libpod-payload-ID`. */
function ownContainer(parts: string[], unit: string): string[] {
  const id = /^libpod-payload-([0-9a-f]{64})$/.exec(parts[parts.indexOf(unit) + 1] ?? '');
  return id === null ? [] : [id[1]!.slice(0, 12)];
}

/** Names of the group that an engine creates for a container, with the systemd and the plain cgroup driver. */
const ENGINES: readonly (readonly [RegExp, ContainerEngine])[] = [
  [/^docker-[0-9a-f]{64}\.scope$/, 'docker'],
  [/^libpod-(?:payload-)?[0-9a-f]{64}(?:\.scope)?$/, 'podman'],
  [/^nerdctl-[0-9a-f]{64}\.scope$/, 'nerdctl'],
  [/^(?:cri-containerd|crio)-[0-9a-f]{64}(?:\.scope)?$|:cri-containerd:[0-9a-f]{64}$/, 'cri'],
];

function engineOf(parts: string[], container: string | undefined): Pick<Membership, 'engine'> {
  if (container === undefined) return {};
  const at = parts.findLastIndex((part) => ID.exec(part)?.[1]?.startsWith(container));
  const own = parts[at] ?? '';
  const known = ENGINES.find(([form]) => form.test(own))?.[1];
  const folder = parts[at - 1];
  const engine =
    known ??
    (folder === 'docker'
      ? 'docker'
      : folder === 'libpod_parent'
        ? 'podman'
        : podOf(parts)
          ? ('cri' as const)
          : undefined);
  return engine === undefined ? {} : { engine };
}

function podOf(parts: string[]): string | undefined {
  for (const part of parts) {
    const pod = part.includes('pod') ? POD.exec(part)?.[1] : undefined;
    if (pod !== undefined) return pod.replaceAll('_', '-');
  }
  return undefined;
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

/** Outermost first. */
function containersOf(parts: string[]): string[] {
  return parts.flatMap((part, index) => {
    const id = ID.exec(part);
    if (id) return [id[1]!.slice(0, 12)];
    const named = MACHINE.exec(part) ?? NSPAWN.exec(part) ?? LXC.exec(part);
    // `lxc.monitor.web` is the host's side of a container.
    if (named && !part.startsWith('lxc.monitor')) return [unescapeUnit(named[1]!)];
    return parts[index - 1] === 'lxc' || parts[index - 1] === 'lxc.payload' ? [part] : [];
  });
}

/** The parts below the container's own group; outside containers all parts. */
function innerParts(parts: string[]): string[] {
  for (let index = parts.length - 1; index >= 0; index--) {
    const part = parts[index]!;
    if (ID.test(part) || MACHINE.test(part) || NSPAWN.test(part) || LXC.test(part)) return parts.slice(index + 1);
    if (parts[index - 1] === 'lxc' || parts[index - 1] === 'lxc.payload') return parts.slice(index + 1);
  }
  return parts;
}

/** The first part that is no slice, if that is a service. */
function unitOf(parts: string[]): string | undefined {
  // systemd as pid 1 of a machine lives below `payload`.
  const own = parts[0] === 'payload' ? parts.slice(1) : parts;
  const unit = own.find((part) => !part.endsWith('.slice'));
  return unit?.endsWith('.service') ? unit : undefined;
}

/** systemd puts `_` before names that the kernel reserves: `_cgroup.service`. */
function unescapeCgroup(name: string): string {
  return name.startsWith('_') ? name.slice(1) : name;
}

/** `web\x2d1` → `web-1`. Machine names only; a unit's name is shown as systemctl takes it. */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
