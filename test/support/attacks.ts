/**
 * Shared by `hostile/trust-*.test.ts`: a machine for a whole file, the two states of the victim, and the report of each
 * attack. Each attack has a control: a legitimate process that must stay the same instance.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { until } from './live.js';
import { bindingInput, program } from './machine-filebeat.js';
import { coreArgv, coreSockets, EVE, openTrial, type Trial } from './trust.js';
import { udpConfig } from './world.js';

export const ALIVE = 'up=1 udp/9001=1 tcp/9002=1';
export const DEAD = 'up=0 udp/9001=0 tcp/9002=0 instance_down';

/** One line of `npm run test:hostile`: the verdict on the victim before, during and after the attack, and on the control. */
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
  /** Like `Trial.start`; killed at the end of the test. */
  start: Trial['start'];
  /** Starts root's own Filebeat by hand. */
  core(): number;
  kill(...pids: number[]): void;
  /** Instances of the ordinary user. */
  eves(name?: RegExp | string): Record<string, unknown>[];
  /** One instance in the JSON document. */
  facts(name: string): Record<string, unknown> | undefined;
  /** Command line and file of a Filebeat of the attacker's own. */
  own(name: string): string[];
  writeOwn(name: string, text: string): void;
  /** The enabled unit `filebeat-core`, and its sockets. */
  installUnit(more?: string, sockets?: readonly string[]): void;
  /** Waits for this verdict on the victim: systemd may still be about to execute the program. */
  comes(what: RegExp | string, name?: string): Promise<string>;
}

export const wants = (ports: readonly number[]) => udpConfig(ports.map((port) => `127.0.0.1:${port}`));

/** Call it in a `describe`. */
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
          // On a busy machine the first scan may take longer than the scrape timeout.
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
