/** `probe.js PROC PORT…`: one scan with the privileges of this process, as JSON; for tests of privileges. */
import { createLooker, want } from './live.js';

const [root, ...ports] = process.argv.slice(2) as [string, ...string[]];
const { scan, look } = await createLooker(root).look((all) => ports.map((port) => want(all.hostNetns, Number(port))));
const filebeats = scan.filebeats.map(({ process: { pid, netns, hostNetns, cwd }, argv, env }) => {
  return { pid, netns, hostNetns, cwd, argv, env };
});
process.stdout.write(JSON.stringify({ ...look, filebeats, hidden: scan.hidden, gaps: [...scan.gaps, ...look.gaps] }));
