/** Durations as Prometheus writes them: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#configuration-file */

const unitSeconds: Record<string, number> = { y: 31_536_000, w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 };

// Each unit at most once, larger units first.
const shape = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** `500ms`, `10m`, `1h30m`, `7d`, `0` → seconds. Undefined: not a duration, or too long for a JavaScript number. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = shape.exec(text);
  if (match === null || text === '') return undefined;
  const seconds = Object.values(unitSeconds).reduce((sum, size, i) => sum + Number(match[i + 1] ?? 0) * size, 0);
  return seconds <= Number.MAX_SAFE_INTEGER ? seconds : undefined;
}
