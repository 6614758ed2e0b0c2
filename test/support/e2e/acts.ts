/** Makes and repairs each fault on its host. */
import { createSocket } from 'node:dgram';
import { rmSync } from 'node:fs';
import { argvOf } from '../lifecycle.js';
import { type StandIn, startStandIn } from '../stand-in.js';
import { scrapes } from './hurry.js';
import { actsOnLogs } from './log-acts.js';
import { type Name, type PlotName, ports } from './plots.js';
import type { Stage } from './stage.js';

export interface Act {
  break(): Promise<unknown>;
  mend(): Promise<unknown>;
}

export function actsOn(stage: Stage): Record<PlotName, Act> {
  const { host, filebeats, start } = stage;
  const at = (name: Name) => `:${ports[name]}`;
  const the = (name: string) => filebeats.get(name)!;
  const close = (name: Name) => the(name).close(the(name).descriptors[0]!);
  const bind = (name: Name, how = 'udp ') => the(name).bind(how + at(name));
  /** With the present content of its file. */
  const restart = async (name: Name, ...sockets: string[]) => {
    await the(name).kill();
    await start(name, ...sockets);
  };
  /** Waits until the exporter reports the present process: on a busy machine a restart between two scrapes is not seen. */
  const seen = async (name: Name) => {
    const pid = String(the(name).pid);
    for (;;) {
      if ((await stage.exporter.scrape()).all('filebeat_instance_up', { pid }).length > 0) return;
      await scrapes(0.2);
    }
  };
  let thief: StandIn;
  let flood: NodeJS.Timeout;
  let narrow: number;

  return {
    ...actsOnLogs(stage),
    killed: {
      break: () => the('killed').kill('SIGKILL'),
      mend: () => start('killed', at('killed')),
    },
    robbed: {
      async break() {
        await the('robbed').kill();
        thief = await startStandIn({ argv: ['/usr/sbin/thief'], sockets: [`udp ${at('robbed')}`] });
        await start('robbed', at('robbed'));
      },
      async mend() {
        await thief.stop();
        await bind('robbed');
      },
    },
    lost: { break: () => close('lost'), mend: () => bind('lost') },
    invalid: {
      break: async () => host.write('/etc/filebeat/invalid.yml', 'filebeat.inputs: [{type: udp, host: ":9004"}\n'),
      mend: async () => host.configure('invalid', [at('invalid')]),
    },
    edited: {
      break: async () => host.configure('edited', [at('edited'), ':9105']),
      mend: () => restart('edited', at('edited'), ':9105'),
    },
    flapping: {
      async break() {
        for (let i = 0; i < 3; i++) {
          await restart('flapping', at('flapping'));
          await seen('flapping');
        }
      },
      mend: async () => undefined,
    },
    flooded: {
      async break() {
        const socket = createSocket('udp4').unref();
        flood = setInterval(() => {
          for (let i = 0; i < 100; i++) socket.send('x'.repeat(1000), ports.flooded, '127.0.0.1');
        }, 200);
      },
      async mend() {
        clearInterval(flood);
        await the('flooded').receive(the('flooded').descriptors[0]!, 10_000);
      },
    },
    clashing: {
      async break() {
        host.configure('clashing', [`127.0.0.1${at('clashing')}`, at('clashing')]);
        await restart('clashing', `127.0.0.1${at('clashing')}`);
      },
      async mend() {
        host.configure('clashing', [at('clashing')]);
        await restart('clashing', at('clashing'));
      },
    },
    narrowed: {
      async break() {
        await close('narrowed');
        narrow = await bind('narrowed', 'udp4 0.0.0.0');
      },
      async mend() {
        await the('narrowed').close(narrow);
        await bind('narrowed');
      },
    },
    learned: { break: () => close('learned'), mend: () => bind('learned') },
    plain: { break: () => stage.plain!.kill(), mend: () => stage.startPlain() },
    reboot: {
      async break() {
        await Promise.all([stage.exporter.stop(), the('stays-down').kill()]);
        rmSync(host.stateFile);
        await stage.startExporter();
      },
      mend: () => start('stays-down', ':9302'),
    },
    exporterKilled: {
      async break() {
        process.kill(stage.exporter.pid, 'SIGKILL');
        await stage.exporter.ended;
      },
      mend: () => stage.startExporter(),
    },
    stuck: {
      async break() {
        await stage.exporter.stop();
        await stage.startExporter('--scan.freshness=1h');
      },
      async mend() {
        await stage.exporter.stop();
        await stage.startExporter();
      },
    },
    blinded: {
      async break() {
        host.configure('unseen', [':9401']);
        host.enable('filebeat@unseen.service');
        const units = 'etc/systemd/system';
        stage.open('etc/filebeat', 'etc/filebeat/unseen.yml');
        stage.open(`${units}/filebeat@.service`, `${units}/multi-user.target.wants`);
      },
      mend: async () => rmSync(`${host.root}/etc/systemd/system/multi-user.target.wants`, { recursive: true }),
    },
    random: {
      async break() {
        // The median needs a history that is longer than the alert's `for`.
        await scrapes(20);
        host.configure('random', [':0']);
        stage.open('etc/filebeat', 'etc/filebeat/random.yml');
        filebeats.set('random', await startStandIn({ argv: argvOf('random'), sockets: ['udp :0'] }));
      },
      async mend() {
        await the('random').stop();
        await stage.exporter.stop();
        await stage.startExporter();
      },
    },
  };
}
