/**
 * What the trials of `hostile/trust-*.test.ts` share: a machine for a whole file, the victim's two states, and the line that
 * tells each attack. Beside an attack stands its control: what is legitimate, and has to go on counting as the same instance.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { until } from './live.js';
import { bindingInput, program } from './machine-filebeat.js';
import { coreArgv, coreSockets, EVE, openTrial, type Trial } from './trust.js';
import { udpConfig } from './world.js';

export const ALIVE = 'up=1 udp/9001=1 tcp/9002=1';
export const DEAD = 'up=0 udp/9001=0 tcp/9002=0 instance_down';

/** One line of `npm run test:hostile`: what was said of the victim before, during and after, and of the control. */
export function tell(attack: string, before: string, during: string, last: string, control?: string): void {
  const said = [before, during, last, ...(control === undefined ? [] : [`control: ${control}`])];
  console.log(`# ${attack.padEnd(50)} | ${said.map((one) => one.trim()).join(' | ')}`);
}

export const unitText = (more = '') => `[Service]
ExecStart=${program} ${coreArgv.slice(1).join(' ')}
StandardInput=file:/srv/sockets/core
StandardOutput=null
${more}
[Install]
WantedBy=multi-user.target
`;

export interface Attacks {
  readonly trial: Trial;
  /** As `Trial.start`; killed at the end of the test. */
  start: Trial['start'];
  /** Root's own one, by hand. */
  core(): number;
  kill(...pids: number[]): void;
  /** Instances of the ordinary user. */
  eves(name?: RegExp | string): Record<string, unknown>[];
  /** What is said of one instance in JSON. */
  facts(name: string): Record<string, unknown> | undefined;
  /** Command line of one of Eve's own, and its file. */
  own(name: string): string[];
  writeOwn(name: string, text: string): void;
  /** The enabled unit `filebeat-core`, and what it binds. */
  installUnit(more?: string, sockets?: readonly string[]): void;
  /** Waits until this is said of the victim: systemd may still be about to execute the program. */
  comes(what: RegExp | string, name?: string): Promise<string>;
}

export const wants = (ports: readonly number[]) => udpConfig(ports.map((port) => `127.0.0.1:${port}`));

/** To be called in a `describe`. */
export function prepareAttacks(): Attacks {
  let trial: Trial;
  const running: number[] = [];
  before(async () => {
    trial = await openTrial();
  });
  after(() => trial?.end());
  beforeEach(() => {
    trial.kill(...running.splice(0));
    trial.machine.sh(`
      systemctl stop 'filebeat*' 2>/dev/null || true
      rm -rf /etc/systemd/system/filebeat* /etc/systemd/system/multi-user.target.wants/filebeat* /etc/init.d/filebeat* /etc/rc?.d/*filebeat*
      systemctl daemon-reload; systemctl reset-failed`);
    trial.exporter();
  });
  const start: Trial['start'] = (options) => {
    const pid = trial.start(options);
    running.push(pid);
    return pid;
  };
  return {
    get trial() {
      return trial;
    },
    start,
    core: () => start({ sockets: coreSockets }),
    kill: (...pids) => trial.kill(...pids),
    eves: (name = /./) =>
      trial
        .status()
        .instances.filter(
          (one) =>
            one['ordinary_user'] === EVE &&
            (typeof name === 'string' ? one['name'] === name : name.test(String(one['name']))),
        ),
    facts: (name) => trial.status().instances.find((one) => one['name'] === name),
    own: (name) => ['filebeat', '-c', `/home/eve/${name}.yml`, '--path.data', `/home/eve/${name}`],
    writeOwn(name, text) {
      trial.machine.write(`/home/eve/${name}.yml`, text);
      trial.machine.sh(`chown ${EVE} /home/eve/${name}.yml`);
    },
    installUnit(more = '', sockets = coreSockets) {
      trial.machine.write('/srv/sockets/core', bindingInput(sockets));
      trial.machine.write('/etc/systemd/system/filebeat-core.service', unitText(more));
      trial.machine.sh('systemctl daemon-reload; systemctl enable filebeat-core 2>/dev/null');
    },
    async comes(what, name = 'filebeat-core') {
      let said = '';
      const isIt = () => {
        try {
          said = trial.victim(name);
        } catch (error) {
          // On a busy machine the first scan takes longer than a scrape waits.
          said = (error as Error).message;
        }
        return typeof what === 'string' ? said === what : what.test(said);
      };
      await until(`${name} is ${what}`, isIt, 30).catch((error: Error) => {
        assert.fail(`${error.message}: ${said}`);
      });
      return said;
    },
  };
}
