/** The results of a run as text: ratios, goals and growth. Pure. */
import type { UnderAttack } from './attacks.js';
import type { Direction, Point } from './growth.js';
import type { SideBySide } from './rounds.js';
import type { WorldSize } from './world.js';

export interface Results {
  machine: string;
  size: WorldSize;
  effort: { rounds: number; interval: number; scrapes: number };
  sideBySide: SideBySide;
  growth: Point[];
  attacks: UnderAttack[];
}

const ms = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
const times = (value: number) => (value >= 10 ? `${value.toFixed(0)} ×` : `${value.toFixed(1)} ×`);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function along(points: readonly Point[], direction: Direction): [x: number, point: Point][] {
  const scale = ({ size }: Point): number =>
    direction === 'processes'
      ? size.bystanders
      : direction === 'descriptors'
        ? size.descriptors
        : direction === 'instances'
          ? size.instances
          : size.instances * size.ports;
  return points.filter((point) => point.direction === direction).map((point) => [scale(point), point]);
}

interface Goal {
  what: string;
  asked: string;
  got: string;
  reached: boolean;
}

/** The goals of the project that this run can check. */
export function goals({ sideBySide, growth, attacks }: Results): Goal[] {
  const { exporter, others, first, rss } = sideBySide;
  const found: Goal[] = [];
  const less = (what: string, title: (title: string) => boolean, factor: number) => {
    const other = others.find((one) => title(one.title));
    if (other === undefined) return;
    const ratio = other.cpu / exporter.cpu;
    found.push({ what, asked: `1/${factor}`, got: `1/${ratio.toFixed(1)}`, reached: ratio >= factor });
  };
  const atMost = (what: string, ratio: number, most: number) =>
    found.push({ what, asked: `${most} ×`, got: times(ratio), reached: ratio <= most });
  less('warm scrape vs one `ss -lunp`', (title) => title.startsWith('ss '), 25);
  less("vs process-exporter's scrape", (title) => title === 'process-exporter, all processes', 50);
  less("vs the origin's pipeline", (title) => title.startsWith('the origin'), 400);
  const floor = others.find(({ title }) => title.startsWith('a floor'));
  if (floor) atMost('vs the floor', exporter.cpu / floor.cpu, 5);
  const processes = along(growth, 'processes');
  const [few, most] = [processes[0], processes.at(-1)];
  if (few && most) atMost(`${most[0]} bystanders vs ${few[0]}`, most[1].cpu / few[1].cpu, 1.2);
  if (most?.[1].ss !== undefined) {
    const ratio = most[1].ss / most[1].cpu;
    found.push({
      what: `warm scrape vs one \`ss -lunp\`, ${most[0]} processes`,
      asked: '1/150',
      got: `1/${ratio.toFixed(1)}`,
      reached: ratio >= 150,
    });
  }
  const ports = along(growth, 'ports').at(-1);
  if (ports) {
    const [count, { wall }] = ports;
    found.push({ what: `a whole scrape with ${count} ports`, asked: '200 ms', got: ms(wall), reached: wall <= 200 });
  }
  atMost('first `/metrics` after exec vs `node -e` with one page', first.exporter.wall / first.bare.wall, 6);
  atMost('RSS after all scrapes vs `node -e` with one page', rss.atEnd / rss.bare, 1.5);
  atMost('RSS at the end vs halfway', rss.atEnd / rss.halfway, 1.1);
  const [calm, worst] = [attacks[0], attacks.at(-1)];
  if (calm && worst) atMost('a scrape under attack vs a calm one', worst.cpu / calm.cpu, 2);
  return found;
}

export function results(run: Results): string {
  const { machine, size, effort, sideBySide, growth } = run;
  const { exporter, others, inARow, bytes, first, rss, calls } = sideBySide;
  const rssText = (value: number | undefined) => (value === undefined ? '' : `${value.toFixed(0)} MiB`);
  const parts = [
    `${machine}; ${size.bystanders} bystanders × ${size.descriptors} descriptors, ${size.instances} instances × ${size.ports} ports; medians of ${effort.rounds} interleaved rounds, ${effort.interval} s apart. Of servers all processor time from one scrape to the next counts.`,
    table(
      ['', 'processor time', 'answered after', 'RSS', 'ratio of processor time'],
      [
        ['**a warm `/metrics`**', ms(exporter.cpu), ms(exporter.wall), rssText(exporter.rss), '1'],
        ...others.map((one) => [one.title, ms(one.cpu), ms(one.wall), rssText(one.rss), times(one.cpu / exporter.cpu)]),
      ],
    ),
    `${effort.scrapes} scrapes in a row: ${ms(inARow.cpu)} of processor time each; p50 ${ms(inARow.p50)}, p95 ${ms(inARow.p95)}, p99 ${ms(inARow.p99)}; ${bytes} bytes on the wire.`,
    `First \`/metrics\` after exec: ${ms(first.exporter.wall)} (${ms(first.exporter.cpu)} of processor time); \`node -e\` with one page: ${ms(first.bare.wall)} (${ms(first.bare.cpu)}).`,
    `RSS: ${rssText(rss.atFirst)} after the first scrape, ${rssText(rss.halfway)} halfway, ${rssText(rss.atEnd)} at the end; \`node -e\` with one page: ${rssText(rss.bare)}.`,
    table(
      ['asked for', 'at most', 'got', ''],
      goals(run).map(({ what, asked, got, reached }) => [what, asked, got, reached ? 'reached' : '**not reached**']),
    ),
  ];
  if (calls) {
    const all = calls.reduce((sum, { count }) => sum + count, 0);
    const rare = calls.filter(({ count }) => count < 0.5);
    const rows = calls
      .filter(({ count }) => count >= 0.5)
      .map(({ kind, purpose, count }) => [`\`${kind}\``, count.toFixed(1), purpose]);
    const rest = rare.reduce((sum, { count }) => sum + count, 0);
    parts.push(
      table(
        ['system call', 'in one warm scrape', 'what for'],
        [...rows, ['others', rest.toFixed(1), 'less than one in two scrapes each'], ['all', all.toFixed(0), '']],
      ),
    );
  }
  const [calm] = run.attacks;
  if (calm)
    parts.push(
      table(
        ['an ordinary user has', 'processor time', 'ratio'],
        run.attacks.map(({ title, cpu }) => [title, ms(cpu), times(cpu / calm.cpu)]),
      ),
    );
  for (const direction of ['processes', 'descriptors', 'instances', 'ports'] as const) {
    const rows = along(growth, direction);
    if (rows.length === 0) continue;
    parts.push(
      table(
        [direction, 'processor time', 'time', 'RSS', '`ss -lunp`'],
        rows.map(([x, { cpu, wall, rss: resident, ss }]) => [
          String(x),
          ms(cpu),
          ms(wall),
          rssText(resident),
          ss === undefined ? '' : ms(ss),
        ]),
      ),
    );
  }
  return `${parts.join('\n\n')}\n`;
}
