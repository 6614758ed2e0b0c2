/**
 * A process that changes socket tables: `churn.js IDLE RATE` holds IDLE sockets and opens and closes RATE others per
 * second, like DNS lookups (0: as fast as possible). Prints `ready` once it holds the idle ones, then five times a second
 * the number of sockets it opened; exits at the end of its input.
 */
import { createSocket } from 'node:dgram';

const [idle, rate] = process.argv.slice(2).map(Number) as [number, number];
const STEP_MS = 5;
const AT_ONCE = 64;

function open(): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => socket.once('error', reject).bind(0, '127.0.0.1', () => resolve(socket)));
}

for (let count = 0; count < idle; count++) await open();
process.stdout.write('ready\n');

let opened = 0;
async function turn(many: number): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: many }, open));
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
  opened += many;
}
async function forever(): Promise<never> {
  const started = performance.now();
  for (;;) {
    const due = rate === 0 ? AT_ONCE : Math.floor(((performance.now() - started) / 1000) * rate) - opened;
    if (due > 0) await turn(Math.min(due, AT_ONCE));
    // Sockets open and close within one turn of the event loop; this lets the loop continue.
    await new Promise((resolve) => (due > 0 ? setImmediate(resolve) : setTimeout(resolve, STEP_MS)));
  }
}
setInterval(() => process.stdout.write(`${opened}\n`), 200).unref();
process.stdin.on('end', () => process.exit()).resume();
await forever();
