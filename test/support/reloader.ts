/**
 * A stand-in whose file is edited continuously, driven by a process of its own, so that it never waits for the test:
 * `reloader.js FOLDER PORT AWAY` rewrites `inputs.d/one.yml`, closes the port, binds it again after AWAY to 2.5 times AWAY
 * milliseconds, like a Filebeat that reloads. Prints its pid and main file once it holds the port; at the end of its
 * input, when the port was closed: `[[from, to], …]`, milliseconds since the epoch.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startStandIn } from './stand-in.js';

const [folder, port, away] = process.argv.slice(2) as [string, string, string];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const host = `127.0.0.1:${port}`;

/** Replaces the file atomically, like an editor: Filebeat would take half a file for an invalid one. */
function edit(count: number): void {
  const text = `- type: udp\n  host: "${host}"\n  tags: ["${count}"]\n`;
  writeFileSync(join(folder, 'inputs.d/.new'), text, { mode: 0o600 });
  renameSync(join(folder, 'inputs.d/.new'), join(folder, 'inputs.d/one.yml'));
}

const config = join(folder, 'reloading.yml');
edit(0);
const one = await startStandIn({
  argv: ['filebeat', '-c', config, '--path.home', folder, '--path.data', join(folder, 'data')],
  cwd: folder,
  sockets: [`udp ${host}`],
});
process.stdout.write(`${one.pid} ${config}\n`);

let over = false;
process.stdin.once('end', () => (over = true)).resume();
const absences: [number, number][] = [];
for (let [fd] = one.descriptors as [number]; !over; ) {
  edit(absences.length);
  const from = Date.now();
  await one.close(fd);
  if (Number(away) > 0) await pause(Number(away) * (1 + Math.random() * 1.5));
  fd = await one.bind(`udp ${host}`);
  absences.push([from, Date.now()]);
  // A pause between reloads, so that the port can be seen again.
  await pause(10 + Number(away) * 4 + Math.random() * 20);
}
process.stdout.write(`${JSON.stringify(absences)}\n`);
await one.stop();
