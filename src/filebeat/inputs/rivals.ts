/** Inputs of one process that shut each other out by design, or share a socket by design. */
import type { Listener } from '../../model/model.js';
import { applies } from '../releases/releases.js';
import type { InputContext } from './input-context.js';
import { type InputResult, isNewKind } from './inputs.js';

/** Equal ids of inputs of the newer kind (8.10), and http_endpoints that share a socket. */
export function markRivals(listeners: Listener[], results: readonly InputResult[], { release }: InputContext): void {
  const byId = new Map<string, InputResult[]>();
  for (const result of results) {
    if (result.id === undefined || !result.newKind || result.type === undefined || !isNewKind(result.type, release))
      continue;
    byId.set(result.id, [...(byId.get(result.id) ?? []), result]);
  }
  if (applies('same-id-fails', release)) {
    let mark = 0;
    for (const group of byId.values()) {
      if (group.length < 2) continue;
      mark++;
      for (const listener of listeners) {
        if (group.some((result) => result.listeners.some((one) => sameListener(one, listener))))
          listener.rival = `id ${mark}`;
      }
    }
  }
  if (!applies('http-endpoints-share', release)) return;
  const urls = new Map<string, Set<string>>();
  for (const { url, listeners: own } of results) {
    const [listener] = own;
    if (url === undefined || !listener) continue;
    const key = `${listener.address}:${listener.port}`;
    const known = urls.get(key) ?? new Set();
    urls.set(key, known.add(url));
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
