/** Whether the heap of this thread is close to its limit (`--max-old-space-size`), at which V8 aborts the process. */
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
