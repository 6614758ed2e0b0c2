/** How near this thread's heap is to its limit (`--max-old-space-size`): beyond it V8 aborts, in the middle of whatever. */
import { getHeapStatistics } from 'node:v8';

const NEAR = 0.9;

export function isHeapExhausted(
  {
    used_heap_size: used,
    heap_size_limit: limit,
  }: {
    used_heap_size: number;
    heap_size_limit: number;
  } = getHeapStatistics(),
): boolean {
  return used > NEAR * limit;
}
