/** `--web.listen-address` as data: `:9117`, `127.0.0.1:9117`, `[::1]:9117`, `unix:/run/exporter.sock`. Pure. */

export type ListenAddress =
  | { kind: 'tcp'; host?: string; port: number; text: string }
  | { kind: 'unix'; path: string; text: string };

/** Undefined when the text is no address. Without a host: every address of both families. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const path = /^unix:(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path, text };
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2];
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  return { kind: 'tcp', ...(host === undefined || host === '' ? {} : { host }), port, text };
}
