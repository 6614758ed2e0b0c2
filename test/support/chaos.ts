/** Twenty Filebeats with random events: killed, started, edited, renamed, chmodded, their ports taken. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quietPort } from './live.js';
import type { Chance } from './random.js';
import { hostileNames } from './report.js';
import { type StandIn, startStandIn } from './stand-in.js';
import { udpConfig } from './world.js';

interface Victim {
  config: string;
  /** Ports that its file declares. */
  ports: number[];
  running?: StandIn;
}

export interface Chaos {
  /** Makes one random event happen. */
  step(): Promise<void>;
  /** Count of each kind of event. */
  readonly counts: Record<string, number>;
  configs: string[];
  end(): Promise<void>;
}

const SCRAPS = ['${', '"', '\t', '- ', ': ', '[', '!!int x', '&a *a', '\0', ...Object.values(hostileNames).slice(0, 4)];

export async function createChaos(folder: string, chance: Chance, size: number): Promise<Chaos> {
  const counts: Record<string, number> = {};
  const thieves: StandIn[] = [];
  const victims: Victim[] = [];
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  };
  const hosts = (ports: readonly number[]) => ports.map((port) => `127.0.0.1:${port}`);

  async function start(victim: Victim): Promise<void> {
    const { config, ports } = victim;
    const home = join(dirname(config), 'home');
    victim.running = await startStandIn({
      argv: ['filebeat', '-c', config, '--path.home', home, '--path.data', `${config}.data`],
      cwd: dirname(config),
      sockets: hosts(ports).map((host) => `udp ${host}`),
      mayFail: true,
    });
  }

  const deeds: Record<string, (victim: Victim) => Promise<void> | void> = {
    async kill(victim) {
      await victim.running?.kill();
      delete victim.running;
    },
    async start(victim) {
      if (victim.running === undefined) await start(victim);
    },
    async restart(victim) {
      await victim.running?.kill();
      await start(victim);
    },
    async edit(victim) {
      victim.ports = [...victim.ports.slice(chance.below(2)), await quietPort()].slice(-3);
      write(victim.config, udpConfig(hosts(victim.ports)));
    },
    spoil: (victim) => write(victim.config, chance.spoil(udpConfig(hosts(victim.ports)), SCRAPS)),
    rename({ config }) {
      const away = `${config}.away`;
      if (existsSync(config)) renameSync(config, away);
      else if (existsSync(away)) renameSync(away, config);
    },
    chmod({ config }) {
      if (existsSync(config)) chmodSync(config, chance.pick([0o000, 0o600, 0o644, 0o666, 0o777]));
    },
    folder({ config }) {
      rmSync(config, { recursive: true, force: true });
      mkdirSync(config, { recursive: true });
    },
    mend(victim) {
      rmSync(victim.config, { recursive: true, force: true });
      write(victim.config, udpConfig(hosts(victim.ports)));
    },
    async steal(victim) {
      if (victim.running !== undefined) await deeds['kill']!(victim);
      const name = chance.pick(['thief', '\u001b[31mred', '<b>"x"', 'a\nb\\c']);
      const sockets = hosts(victim.ports).map((host) => `udp ${host}`);
      thieves.push(await startStandIn({ argv: [name], name, sockets, mayFail: true }));
      if (thieves.length > 4) await thieves.shift()!.stop();
    },
    async release() {
      await thieves.shift()?.stop();
    },
    async close(victim) {
      const fd = victim.running?.descriptors[0];
      // Closed before: EBADF.
      if (fd !== undefined) await victim.running!.close(fd).catch(() => undefined);
    },
  };

  for (let number = 0; number < size; number++) {
    const victim: Victim = { config: join(folder, `fb-${number}.yml`), ports: [await quietPort(), await quietPort()] };
    write(victim.config, udpConfig(hosts(victim.ports)));
    victims.push(victim);
    await start(victim);
  }
  return {
    counts,
    configs: victims.map(({ config }) => config),
    async step() {
      const deed = chance.pick(Object.keys(deeds));
      counts[deed] = (counts[deed] ?? 0) + 1;
      const victim = chance.pick(victims);
      try {
        await deeds[deed]!(victim);
      } catch (error) {
        // A folder is in place of the file: removed, otherwise later events would fail.
        if (!/^(EISDIR|ENOTDIR|ENOTEMPTY|EEXIST)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
        await deeds['mend']!(victim);
      }
    },
    async end() {
      await Promise.all([...thieves, ...victims.flatMap(({ running }) => running ?? [])].map((one) => one.stop()));
    },
  };
}
