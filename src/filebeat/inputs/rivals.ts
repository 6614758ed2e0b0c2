/** Inputs of one process that exclude each other, or share a socket, by design. */
import type { Listener } from '../../model/model.js';
import { applies } from '../releases/releases.js';
import type { InputContext } from './input-context.js';
import { type InputResult, isV2Input } from './inputs.js';

/** Marks inputs of API v2 with equal ids (fails from 8.10 on), and http_endpoints that share a socket. */
export function markRivals(listeners: Listener[], results: readonly InputResult[], { release }: InputContext): void {
  const byId = new Map<string, InputResult[]>();
  for (const result of results) {
    if (result.id === undefined || !result.isV2 || result.type === undefined || !isV2Input(result.type, release))
      continue;
    byId.set(result.id, [...(byId.get(result.id) ?? []), result]);
  }
  if (applies('same-id-fails', release)) {
    let groupNumber = 0;
    for (const group of byId.values()) {
      if (group.length < 2) continue;
      groupNumber++;
      for (const listener of listeners) {
        if (group.some((result) => result.listeners.some((other) => sameListener(other, listener))))
          listener.rival = `id ${groupNumber}`;
      }
    }
  }
  if (!applies('http-endpoints-share', release)) return;
  const urls = new Map<string, Set<string>>();
  for (const { url, listeners: endpoints } of results) {
    const [listener] = endpoints;
    if (url === undefined || !listener) continue;
    const key = `${listener.address}:${listener.port}`;
    urls.set(key, (urls.get(key) ?? new Set()).add(url));
  }
  for (const listener of listeners) {
    if ((urls.get(`${listener.address}:${listener.port}`)?.size ?? 0) > 1 && listener.input === 'http_endpoint') {
      listener.shares = true;
    }
  }
}

function sameListener(a: Listener, b: Listener): boolean {
  return a.declaredIn.file === b.declaredIn.file && a.declaredIn.line === b.declaredIn.line && a.port === b.port;
}
