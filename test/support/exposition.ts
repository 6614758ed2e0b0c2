/** Parses the Prometheus text format as strictly as Prometheus; throws for invalid text. */

export interface Series {
  name: string;
  labels: Map<string, string>;
  value: number;
  /** Name and labels as written. */
  key: string;
}

const escapes: Record<string, string> = { n: '\n', '"': '"', '\\': '\\' };

export function parseExposition(text: string): Series[] {
  const series: Series[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[n"\\])*",?)*)\})? (\S+)$/.exec(line);
    if (match === null) throw new Error(`not a series: ${line.slice(0, 200)}`);
    const [, name = '', pairs = '', value = ''] = match;
    const labels = new Map<string, string>();
    for (const [, label = '', raw = ''] of pairs.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      if (labels.has(label)) throw new Error(`label ${label} comes twice: ${line.slice(0, 200)}`);
      labels.set(
        label,
        raw.replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c),
      );
    }
    if (!Number.isFinite(Number(value))) throw new Error(`not a number: ${line.slice(0, 200)}`);
    series.push({ name, labels, value: Number(value), key: line.slice(0, line.lastIndexOf(' ')) });
  }
  return series;
}
