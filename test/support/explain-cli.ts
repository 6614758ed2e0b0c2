/** Runs `explain` as a process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Tree, writeTree } from './tree.js';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface Said {
  code: number | null;
  out: string;
  err: string;
}

/** No state file, and without the units of this machine unless a settings file enables them. */
export function explainCli(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const child = spawn(process.execPath, [main, 'explain', '--state.file=', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  return new Promise<Said>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, out, err }));
  });
}

export const sink = 'output.console.enabled: true\n';
export const udp = (host: string) => `- type: udp\n  host: "${host}"\n`;
export const mainFile = (...hosts: string[]) => `filebeat.inputs:\n${hosts.map(udp).join('')}${sink}`;
export const newest = ['--filebeat-release', '9.6.0'];

/** Explains `filebeat ARGV` in a folder with these files. */
export async function explained(tree: Tree, argv: string[], flags: string[] = newest) {
  const cwd = writeTree(tree);
  const said = await explainCli([...flags, '--cwd', cwd, '--', 'filebeat', '--strict.perms=false', ...argv]);
  return { ...said, out: said.out.replaceAll(cwd, ''), cwd };
}
