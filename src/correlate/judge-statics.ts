/** Verdicts on the ports that the settings list, in the host's network namespace. Pure. */
import type { Mismatch, Snapshot, Socket, StaticPort, StaticPortVerdict } from '../model/model.js';

function matches(socket: Socket, port: StaticPort): boolean {
  if (socket.protocol !== port.protocol || socket.port !== port.port) return false;
  if (port.address === undefined || port.address === '*') return true;
  if (socket.address === port.address) return true;
  return socket.address === '::' || (socket.address === '0.0.0.0' && !port.address.includes(':'));
}

/** One verdict for each port, and a mismatch for each that is down. */
export function judgeStatics(snapshot: Snapshot): { verdicts: StaticPortVerdict[]; mismatches: Mismatch[] } {
  const host = snapshot.namespaces.find((n) => n.host)?.netns;
  const verdicts: StaticPortVerdict[] = [];
  const mismatches: Mismatch[] = [];
  for (const port of snapshot.statics) {
    const bound = snapshot.sockets.filter((s) => s.netns === host && matches(s, port));
    const owners = bound.flatMap((s) => s.owners).sort((a, b) => a.pid - b.pid);
    const wanted = port.process === undefined ? owners : owners.filter((o) => o.comm === port.process);
    const hidden = bound.some((s) => s.owners.length === 0 && !s.ownersKnown);
    const up = bound.length > 0 && (port.process === undefined || wanted.length > 0 || hidden);
    const owner = wanted[0] ?? owners[0];
    verdicts.push({ ...port, up, sockets: bound.length, ...(up && owner !== undefined ? { owner } : {}) });
    if (up) continue;
    mismatches.push({
      code: 'static_port_down',
      protocol: port.protocol,
      address: port.address ?? '*',
      port: port.port,
      ...(port.process === undefined ? {} : { subject: port.process }),
      cause: bound.length > 0 ? { kind: 'wrong-process', ...(owner === undefined ? {} : { owner }) } : { kind: 'none' },
    });
  }
  return { verdicts, mismatches };
}
