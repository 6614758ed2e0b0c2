/** Filebeats for a test: configuration files in a temporary folder, and stand-ins with the given sockets. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type StandIn, type StandInOptions, startStandIn } from './stand-in.js';

export interface Filebeat extends StandIn {
  /** The `config` label of its series. */
  readonly config: string;
}

export interface World {
  readonly folder: string;
  /** Writes a file below the folder (mode 0600, as Filebeat requires) and returns its path. */
  write(name: string, text: string): string;
  /**
   * Starts `filebeat -c FOLDER/NAME.yml` with one udp input for each host. Binds all of them, or `sockets`. `text`: the
   * content of the file instead.
   */
  filebeat(
    name: string,
    hosts: readonly string[],
    options?: Partial<StandInOptions> & { text?: string },
  ): Promise<Filebeat>;
  /** Starts another process, named after `argv[0]`. */
  process(options: StandInOptions): Promise<StandIn>;
  /** Ends every process and removes the folder. */
  end(): Promise<void>;
}

/** A valid configuration with one udp input for each host. */
export function udpConfig(hosts: readonly string[]): string {
  const inputs = hosts.map((host) => `  - type: udp\n    host: "${host}"\n`);
  return `filebeat.inputs:${inputs.length === 0 ? ' []' : `\n${inputs.join('')}`}\noutput.console.enabled: true\n`;
}

export function createWorld(prefix = 'world-'): World {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const processes: StandIn[] = [];
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const start = async (options: StandInOptions) => {
    const one = await startStandIn(options);
    processes.push(one);
    return one;
  };
  return {
    folder,
    write,
    process: start,
    async filebeat(name, hosts, { text, ...options } = {}) {
      const config = write(`${name}.yml`, text ?? udpConfig(hosts));
      const data = join(folder, 'data', name);
      const one = await start({
        argv: ['filebeat', '-c', config, '--path.home', folder, '--path.data', data],
        cwd: folder,
        sockets: hosts.map((host) => `udp ${host}`),
        mayFail: true,
        ...options,
      });
      return { ...one, config };
    },
    async end() {
      await Promise.all(processes.splice(0).map((one) => one.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
