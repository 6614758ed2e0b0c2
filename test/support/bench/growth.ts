/** The cost of a warm scrape as the host grows in one dimension at a time. */
import { SETTLED_MS, warmCost } from './rounds.js';
import { buildWorld, type World, type WorldSize } from './world.js';

export type Direction = 'processes' | 'descriptors' | 'instances' | 'ports';

export interface Point {
  direction: Direction;
  size: WorldSize;
  /** Milliseconds of processor time, latency, and of `ss -lunp`; MiB. */
  cpu: number;
  wall: number;
  rss: number;
  ss?: number;
}

export interface GrowthPlan {
  base: WorldSize;
  /** Seconds between scrapes while the number of processes grows: the work of an interval grows with it. */
  interval: number;
  /** A fraction of the sizes, to see only the shape. */
  scale: number;
  settle?: number;
}

function sizes({ base, scale }: GrowthPlan): [Direction, WorldSize[]][] {
  const many = (count: number) => Math.max(1, Math.round(count * scale));
  return [
    ['processes', [1000, 2500, 5000, 10_000].map((bystanders) => ({ ...base, bystanders: many(bystanders) }))],
    ['descriptors', [10, 50, 200].map((descriptors) => ({ ...base, descriptors: Math.max(3, many(descriptors)) }))],
    ['instances', [1, 15, 100, 250, 500].map((instances) => ({ ...base, instances: many(instances), ports: 1 }))],
    ['ports', [50, 125, 250, 500].map((instances) => ({ ...base, instances: many(instances), ports: 20 }))],
  ];
}

export async function grow(plan: GrowthPlan, tell: (line: string) => void): Promise<Point[]> {
  const points: Point[] = [];
  for (const [direction, steps] of sizes(plan)) {
    let world: World | undefined;
    let reached: WorldSize | undefined;
    for (const size of steps) {
      // Descriptors are opened before the processes start, so another number needs another host.
      if (world === undefined || reached?.descriptors !== size.descriptors) {
        await world?.stop();
        world = await buildWorld(size);
      } else {
        await world.grow(size);
      }
      reached = size;
      const [times, interval] = direction === 'processes' ? [4, plan.interval] : [12, 0];
      const cost = await warmCost(world, plan.settle ?? SETTLED_MS, times, interval);
      points.push({ direction, size, ...cost });
      tell(`${direction}: ${JSON.stringify(size)} ${cost.cpu.toFixed(1)} ms`);
    }
    await world?.stop();
  }
  return points;
}
