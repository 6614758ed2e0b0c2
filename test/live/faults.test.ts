/** The fault matrix: each fault is real and gives exactly its own verdict; a host without a fault gives none. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Report } from '../../src/model/model.js';
import { until } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import { createTrial, ownPort, type Trial, tell } from '../support/trial.js';
import { udpConfig } from '../support/world.js';

interface Verdict {
  report: Report;
  /** `CODE NAME ENDPOINT CAUSE` in the order of the report, with the names that the program gave. */
  lines: string[];
  cause?: RegExp;
  remedy?: RegExp;
}

const output = 'output.console.enabled: true\n';
const input = (type: string, host: string, more = '') => `- {type: ${type}, host: "${host}"${more}}\n`;
const syslog = (host: string) => `- {type: syslog, protocol.udp.host: "${host}"}\n`;
const inputs = (...entries: string[]) => `filebeat.inputs:\n${entries.join('')}${output}`;
const reloading = (folder: string) =>
  `filebeat.config.inputs: {path: ${folder}/inputs.d/*.yml, reload.enabled: true}\n${output}`;

const ports = async (count: number) => Promise.all(Array.from({ length: count }, ownPort));

/** Sends `count` datagrams to a port of this host, and waits until the last one is sent. */
async function send(port: number, count: number, bytes: number): Promise<void> {
  const socket = createSocket('udp4');
  for (let i = 0; i < count; i++)
    await new Promise<void>((resolve, reject) =>
      socket.send(Buffer.alloc(bytes), port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

function fault(
  title: string,
  make: (trial: Trial) => Promise<Verdict>,
  options: { skip?: string; grace?: number } = {},
): void {
  it(title, options.skip === undefined ? {} : { skip: options.skip }, async () => {
    const trial = createTrial(options.grace);
    try {
      const { report, lines, cause, remedy } = await make(trial);
      const told = tell(report, trial);
      assert.deepEqual(told.lines, lines);
      if (cause !== undefined) assert.match(told.causes, cause);
      if (remedy !== undefined) assert.match(told.remedies, remedy);
    } finally {
      await trial.end();
    }
  });
}

describe('a host without a fault', () => {
  fault('gives no verdict, whatever kinds of listeners there are', async (trial) => {
    const [a, b, c, d, e] = (await ports(5)) as [number, number, number, number, number];
    await trial.filebeat('plain', [`:${a}`, `127.0.0.1:${b}`, `[::1]:${b}`]);
    await trial.release(
      'mixed',
      '8.19.21',
      inputs(syslog(`localhost:${c}`), input('netflow', `0.0.0.0:${d}`), input('tcp', `127.0.0.1:${e}`)),
      [`udp 127.0.0.1:${c}`, `udp :${d}`, `tcp 127.0.0.1:${e}`],
    );
    await trial.scan();
    return { report: await trial.scan(), lines: [] };
  });

  fault(
    'gives no verdict for a Filebeat that started seconds ago',
    async (trial) => {
      const port = await ownPort();
      const one = await trial.filebeat('young', [`127.0.0.1:${port}`], { sockets: [] });
      const report = await trial.scan();
      const at = report.snapshot.instances.findIndex(({ config }) => config === one.config);
      assert.equal(report.verdict.instances[at]!.ports[0]!.status, 'starting');
      return { report, lines: [] };
    },
    { grace: 10 },
  );
});

describe('an instance that does not run', () => {
  const gone = async (trial: Trial, leave: (data: string) => void): Promise<Report> => {
    const one = await trial.filebeat('one', [`127.0.0.1:${await ownPort()}`]);
    await trial.scan();
    leave('data/one');
    await one.kill();
    return trial.scan();
  };

  fault('crashed: its lock file is left', async (trial) => ({
    report: await gone(trial, (data) => void trial.write(`${data}/filebeat.lock`, '')),
    lines: ['instance_down one not-running'],
    cause: /crashed or was killed/,
    remedy: /^start this Filebeat \(one\)/,
  }));

  fault('was stopped: its lock file is gone', async (trial) => ({
    report: await gone(trial, (data) => void trial.write(`${data}/meta.json`, '{}')),
    lines: ['instance_down one not-running'],
    cause: /stopped cleanly/,
  }));

  fault('was never seen', async (trial) => {
    const config = trial.write('lab.yml', udpConfig([`127.0.0.1:${await ownPort()}`]));
    const argv = ['filebeat', '-c', config, '--path.home', trial.folder, '--path.data', join(trial.folder, 'lab')];
    trial.settings = { ...trial.settings, instances: [{ name: 'lab', argv, env: {} }] };
    return {
      report: await trial.scan(),
      lines: ['instance_down lab never-seen'],
      cause: /never seen running.*settings declare it/,
    };
  });

  fault('cannot start with its configuration', async (trial) => {
    const config = trial.write(
      'one.yml',
      'filebeat.inputs:\n- type: upd\n  host: ":9000"\noutput.console.enabled: true\n',
    );
    trial.settings = { ...trial.settings, instances: [{ name: 'one', argv: ['filebeat', '-c', config], env: {} }] };
    return {
      report: await trial.scan(),
      lines: ['config_invalid one config', 'instance_down one config'],
      cause: /does not know the type of an input\. See .*one\.yml:2\./,
      remedy: /edit .*one\.yml:2: use a type .*, then start this Filebeat/,
    };
  });

  fault(
    'runs, but in another network namespace',
    async (trial) => {
      const port = await ownPort();
      const here = await trial.filebeat('one', [`127.0.0.1:${port}`]);
      await trial.scan();
      await here.kill();
      await trial.filebeat('one', [`127.0.0.1:${port}`], { netns: 'new' });
      return {
        report: await trial.scan(),
        // Both are configured with the same data path, but only one of them uses it now.
        lines: ['data_path_conflict one shared-data-path', 'instance_down one runs-elsewhere'],
        cause: /runs as “.*” in another network namespace/,
        remedy: /filebeat-port-exporter forget one$/m,
      };
    },
    rootOnly,
  );

  fault('was replaced three times within minutes', async (trial) => {
    const port = await ownPort();
    for (let life = 0; life < 4; life++) {
      const one = await trial.filebeat('one', [`127.0.0.1:${port}`]);
      await trial.scan();
      if (life < 3) await one.kill();
    }
    return {
      report: await trial.scan(),
      lines: ['instance_flapping one restarts'],
      cause: /replaced 3 times within 10m/,
    };
  });
});

describe('a configuration', () => {
  const broken =
    'filebeat.inputs:\n- type: udp\n  host: ":1"\n  max_message_size: much\noutput.console.enabled: true\n';

  for (const [release, kind] of [
    ['7.17.16', 'hangs-after-refusal'],
    ['8.10.4', 'hangs-after-refusal'],
    ['8.19.21', 'config'],
  ])
    fault(`that ${release} refuses while its process is there without a socket: ${kind}`, async (trial) => {
      trial.age(trial.write('one.yml', broken), 60);
      const one = await trial.release('one', release!, broken, []);
      trial.age(one.config, 60);
      return {
        report: await trial.scan(),
        lines: [`config_invalid one ${kind}`],
        remedy: /edit .*one\.yml:4: give max_message_size a value/,
      };
    });

  fault('that it refuses and hangs, never seen before: says that its ports are not known', async (trial) => {
    const one = await trial.release('one', '7.17.16', broken, []);
    trial.age(one.config, 60);
    return {
      report: await trial.scan(),
      lines: ['config_invalid one hangs-after-refusal'],
      cause: /No earlier scan knew its ports/,
    };
  });

  fault('that makes a known Filebeat hang: its ports are missing with that cause in every scan', async (trial) => {
    const port = await ownPort();
    const good = await trial.release('one', '7.17.16', inputs(input('udp', `127.0.0.1:${port}`)), [
      `udp 127.0.0.1:${port}`,
    ]);
    await trial.scan();
    await good.kill();
    const hanging = await trial.release('one', '7.17.16', broken, []);
    trial.age(hanging.config, 60);
    await trial.scan();
    return {
      report: await trial.scan(),
      lines: ['config_invalid one hangs-after-refusal', `port_missing one udp 127.0.0.1:${port} hangs-after-refusal`],
      remedy: /edit .*one\.yml:4: give max_message_size a value .*, then .*restart/,
    };
  });

  fault('that 7.17 would refuse is no hang where a socket is held', async (trial) => {
    const one = await trial.release('one', '7.17.16', broken, [`udp 127.0.0.1:${await ownPort()}`]);
    trial.age(one.config, 60);
    return { report: await trial.scan(), lines: ['config_invalid one config'] };
  });

  fault('that is no plain file', async (trial) => {
    const port = await ownPort();
    const one = await trial.filebeat('one', [`127.0.0.1:${port}`]);
    await trial.scan();
    rmSync(one.config);
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [one.config]);
    return {
      report: await trial.scan(),
      lines: ['config_unreadable one unreadable'],
      remedy: /ls -l .*one\.yml$/,
    };
  });

  fault('that leaves the inputs to autodiscover', async (trial) => {
    const text = `filebeat.autodiscover.providers: [{type: docker, hints.enabled: true, host: "tcp://docker:2375"}]\n${output}`;
    await trial.release('one', '8.19.21', text, []);
    return { report: await trial.scan(), lines: ['config_dynamic one config'] };
  });

  fault('that shares its data path', async (trial) => {
    const [a, b] = await ports(2);
    const shared = { pathData: join(trial.folder, 'shared') };
    await trial.release('a', '8.19.21', inputs(input('udp', `127.0.0.1:${a}`)), [`udp 127.0.0.1:${a}`], shared);
    await trial.release('b', '8.19.21', inputs(input('udp', `127.0.0.1:${b}`)), [`udp 127.0.0.1:${b}`], shared);
    return {
      report: await trial.scan(),
      lines: ['data_path_conflict a shared-data-path'],
      cause: /“b” is configured with the same path\.data/,
    };
  });

  fault('that was edited after the start, which was seen', async (trial) => {
    const [old, young] = await ports(2);
    await trial.filebeat('one', [`127.0.0.1:${old}`]);
    await trial.scan();
    const path = trial.write('one.yml', udpConfig([`127.0.0.1:${young}`]));
    trial.age(path, -1);
    return {
      report: await trial.scan(),
      lines: ['restart_pending one edited-after-start'],
      cause: new RegExp(`would open udp 127\\.0\\.0\\.1:${young} and would close udp 127\\.0\\.0\\.1:${old}\\.`),
      remedy:
        /^restart this Filebeat \(one\) the way pid \d+ \(node\) started it; to see both command lines: ps -o pid,ppid,user,lstart,args -p \d+,\d+$/,
    };
  });

  fault('that was edited after a start that nobody saw', async (trial) => {
    const [old, young] = await ports(2);
    const one = await trial.filebeat('one', [`127.0.0.1:${young}`], { sockets: [`udp 127.0.0.1:${old}`] });
    trial.age(one.config, -1);
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp 127.0.0.1:${young} edited-after-start`, 'restart_pending one edited-after-start'],
      cause: /one\.yml was edited after this process started/,
    };
  });
});

describe('a port that another process holds', () => {
  fault('who was there first', async (trial) => {
    const port = await ownPort();
    const thief = await trial.process({ argv: ['rsyslogd'], sockets: [`udp :${port}`] });
    await trial.filebeat('one', [`0.0.0.0:${port}`]);
    return {
      report: await trial.scan(),
      lines: [`port_taken one udp *:${port} held-by`],
      cause: new RegExp(`bind was lost to pid ${thief.pid} \\(rsyslogd\\)\\.`),
      remedy: new RegExp(`ps -o pid,user,lstart,args -p ${thief.pid}$`),
    };
  });

  fault('who came when it was lost', async (trial) => {
    const port = await ownPort();
    const one = await trial.filebeat('one', [`127.0.0.1:${port}`]);
    await trial.scan();
    await one.close(one.descriptors[0]!);
    await trial.process({ argv: ['nc'], sockets: [`udp :${port}`] });
    // Full descriptor scans are rate limited: on a busy host a later scan names the owner.
    const report = await until('the holder is named', async () => {
      const one = await trial.scan();
      return tell(one, trial).causes.includes('(nc)') ? one : undefined;
    });
    return { report, lines: [`port_taken one udp 127.0.0.1:${port} held-by`] };
  });

  fault('and is another Filebeat whose file asks for it', async (trial) => {
    const port = await ownPort();
    await trial.filebeat('first', [`127.0.0.1:${port}`]);
    await trial.filebeat('second', [`:${port}`]);
    return {
      report: await trial.scan(),
      lines: [`port_taken second udp *:${port} held-by`],
      cause: /is the Filebeat “first”, and .*first\.yml:3 declares the same endpoint/,
      remedy: /^edit .*second\.yml:3 or .*first\.yml:3: give one of the two another port$/,
    };
  });

  fault('and is docker’s proxy', async (trial) => {
    const port = await ownPort();
    await trial.process({ argv: ['docker-proxy'], sockets: [`udp :${port}`] });
    await trial.filebeat('one', [`:${port}`]);
    return {
      report: await trial.scan(),
      lines: [`port_taken one udp *:${port} held-by`],
      cause: /publishes a port of a container/,
      remedy: new RegExp(`sudo docker ps --filter publish=${port}/udp$`),
    };
  });

  fault('while this release retries in a busy loop', async (trial) => {
    const port = await ownPort();
    await trial.process({ argv: ['nc'], sockets: [`udp :${port}`] });
    await trial.release('one', '8.10.4', inputs(input('udp', `127.0.0.1:${port}`)), [`udp 127.0.0.1:${port}`]);
    return {
      report: await trial.scan(),
      lines: [`port_taken one udp 127.0.0.1:${port} held-by`],
      cause: /uses a whole core/,
    };
  });

  fault('through SO_REUSEPORT, beside it', async (trial) => {
    const port = await ownPort();
    const one = await trial.filebeat('one', [`127.0.0.1:${port}`], { sockets: [] });
    await one.bind(`udp 127.0.0.1:${port}`, { reusePort: true });
    const duplicate = await trial.process({ argv: ['duplicate'] });
    await duplicate.bind(`udp 127.0.0.1:${port}`, { reusePort: true });
    return {
      report: await trial.scan(),
      lines: [`port_taken one udp 127.0.0.1:${port} shared-with`],
      cause: /the kernel distributes the datagrams between them/,
    };
  });

  fault('on TCP', async (trial) => {
    const port = await ownPort();
    await trial.process({ argv: ['nc'], sockets: [`tcp :${port}`] });
    await trial.release('one', '8.19.21', inputs(input('tcp', `127.0.0.1:${port}`)), [`tcp 127.0.0.1:${port}`]);
    return { report: await trial.scan(), lines: [`port_taken one tcp 127.0.0.1:${port} held-by`] };
  });
});

describe('two claims on one endpoint', () => {
  fault('are told before the one that is down starts', async (trial) => {
    const port = await ownPort();
    const down = await trial.filebeat('down', [`127.0.0.1:${port}`]);
    await trial.scan();
    await down.kill();
    await trial.filebeat('up', [`:${port}`]);
    return {
      report: await trial.scan(),
      lines: ['instance_down down not-running', `port_conflict up udp *:${port} other-listener`],
      cause: /“down” declares it too, in .*down\.yml:3\. One of the two is not running/,
    };
  });

  fault('are told before a restart makes them meet', async (trial) => {
    const [a, b] = await ports(2);
    await trial.filebeat('edited', [`127.0.0.1:${a}`]);
    await trial.filebeat('other', [`127.0.0.1:${b}`]);
    await trial.scan();
    trial.age(trial.write('edited.yml', udpConfig([`:${b}`])), -1);
    return {
      report: await trial.scan(),
      lines: [`port_conflict other udp 127.0.0.1:${b} other-listener`, 'restart_pending edited edited-after-start'],
      cause: /“edited” declares it too, in .*edited\.yml:3\. They will collide at the next restart/,
    };
  });

  fault('within one instance are told at the loser', async (trial) => {
    const port = await ownPort();
    await trial.filebeat('one', [`:${port}`, `127.0.0.1:${port}`]);
    return {
      report: await trial.scan(),
      lines: [`port_conflict one udp 127.0.0.1:${port} other-listener`],
      cause: /one\.yml:3\. Only one of the two can be bound/,
      remedy: /edit .*one\.yml:5 or .*one\.yml:3/,
    };
  });

  fault('by the same id, in 8.10', async (trial) => {
    const [a, b] = await ports(2);
    const id = ', id: same';
    const text = inputs(input('udp', `127.0.0.1:${a}`, id), input('udp', `127.0.0.1:${b}`, id));
    await trial.release('one', '8.10.4', text, [`udp 127.0.0.1:${a}`]);
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp 127.0.0.1:${b} same-id`],
      cause: /one\.yml:2 has the same id/,
      remedy: /edit .*one\.yml:3: give the input an id of its own/,
    };
  });
});

describe('a port without a socket', () => {
  fault('whose address is not of this host', async (trial) => {
    const port = await ownPort();
    const one = await trial.filebeat('one', [`203.0.113.77:${port}`]);
    assert.deepEqual([...one.failures.values()], ['EADDRNOTAVAIL']);
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp 203.0.113.77:${port} address-not-local`],
      remedy: /ip -br address$/,
    };
  });

  fault(
    'that is privileged',
    async (trial) => {
      const config = inputs(input('udp', '127.0.0.77:618'));
      const { executable } = await trial.process({ argv: ['filebeat'], name: 'filebeat' });
      chmodSync(dirname(executable), 0o711);
      const one = await trial.release('one', '8.19.21', config, ['udp 127.0.0.77:618'], { uid: 65534 });
      assert.deepEqual([...one.failures.values()], ['EACCES']);
      // Files that its user may not read would be unknown.
      execFileSync('chmod', ['-R', 'a+rX', trial.folder]);
      return {
        report: await trial.scan(),
        lines: ['port_missing one udp 127.0.0.77:618 privileged-port'],
        cause: /Ports below 1024 need CAP_NET_BIND_SERVICE/,
      };
    },
    rootOnly,
  );

  const retries: [type: string, release: string, entry: (host: string) => string, cause: RegExp, remedy: RegExp][] = [
    ['udp', '8.19.21', (h) => input('udp', h), /binds only once, at its start/, /^restart this Filebeat/],
    ['udp', '9.1.4', (h) => input('udp', h), /retries without a pause/, /log$/],
    ['syslog', '8.19.21', syslog, /retries every 10 s: if it does not come back/, /log$/],
    ['netflow', '8.12.2', (h) => input('netflow', h), /then discards everything it receives/, /^restart this Filebeat/],
    ['netflow', '8.13.0', (h) => input('netflow', h), /binds only once/, /^restart this Filebeat/],
  ];
  for (const [type, release, entry, cause, remedy] of retries)
    fault(`though nobody has it now: ${type} of ${release}`, async (trial) => {
      const port = await ownPort();
      await trial.release('one', release, inputs(entry(`127.0.0.1:${port}`)), []);
      const lines = [`port_missing one udp 127.0.0.1:${port} bind-failed`];
      return { report: await trial.scan(), lines, cause, remedy };
    });

  fault('that a reload has lost', async (trial) => {
    const port = await ownPort();
    const entry = input('udp', `127.0.0.1:${port}`);
    trial.age(trial.write('inputs.d/a.yml', entry), 60);
    const one = await trial.release('one', '7.16.3', reloading(trial.folder), [`udp 127.0.0.1:${port}`]);
    trial.wait(60);
    assert.deepEqual(tell(await trial.scan(), trial).lines, []);
    trial.age(trial.write('inputs.d/a.yml', `${entry}# edited\n`), 30);
    await one.close(one.descriptors[0]!);
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp 127.0.0.1:${port} reload-lost-port`],
      cause: /releases before 7\.17\.6 and 8\.3\.3 lose the port/,
    };
  });

  fault('that a reload has yet to open', async (trial) => {
    const [old, young] = await ports(2);
    trial.age(trial.write('inputs.d/a.yml', input('udp', `127.0.0.1:${old}`)), 60);
    await trial.release('one', '8.19.21', reloading(trial.folder), [`udp 127.0.0.1:${old}`]);
    trial.wait(60);
    await trial.scan();
    trial.age(trial.write('inputs.d/b.yml', input('udp', `127.0.0.1:${young}`)), 3);
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp 127.0.0.1:${young} reload-pending`],
      cause: /b\.yml was edited 3s ago; Filebeat reads it again every 10s/,
    };
  });

  fault('whose reloaded file broke', async (trial) => {
    const port = await ownPort();
    trial.age(trial.write('inputs.d/a.yml', input('udp', `127.0.0.1:${port}`)), 60);
    const one = await trial.release('one', '8.19.21', reloading(trial.folder), [`udp 127.0.0.1:${port}`]);
    trial.wait(60);
    await trial.scan();
    trial.write('inputs.d/a.yml', '- type: udp\n\t host: "127.0.0.1:1"\n');
    await one.close(one.descriptors[0]!);
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp 127.0.0.1:${port} reloaded-file-broken`],
      cause: /The edited file is invalid.*not valid YAML\. See .*a\.yml:2\./,
      remedy: /edit .*a\.yml:2/,
    };
  });

  fault('that is held in the other family', async (trial) => {
    const port = await ownPort();
    await trial.filebeat('one', [`[::1]:${port}`], { sockets: [`udp 127.0.0.1:${port}`] });
    await trial.scan();
    return {
      report: await trial.scan(),
      lines: [`port_missing one udp ::1:${port} bound-elsewhere`],
      cause: /holds 127\.0\.0\.1 on this port, of the other address family/,
    };
  });

  fault('for which no name server is asked', async (trial) => {
    const port = await ownPort();
    await trial.filebeat('one', [`logs.example.invalid:${port}`], { sockets: [] });
    return {
      report: await trial.scan(),
      lines: [`config_unresolved one udp logs.example.invalid:${port} unresolved`],
      cause: /only a name server knows/,
    };
  });

  fault('that a keystore hides', async (trial) => {
    const text = inputs(input('udp', '${UDP_HOST}'));
    trial.write('home-one/data/filebeat.keystore', 'v1opaque');
    await trial.release('one', '8.19.21', text, []);
    const report = await trial.scan();
    const [told] = tell(report, trial).lines;
    assert.match(told ?? '', /^config_unresolved one udp .* unresolved$/);
    return { report, lines: [told!], cause: /only that Filebeat can open the keystore/ };
  });

  fault('that its host can never become', async (trial) => {
    await trial.filebeat('one', ['127.0.0.1'], { sockets: [] });
    return {
      report: await trial.scan(),
      lines: ['listener_invalid one udp 127.0.0.1: invalid'],
      cause: /The host has no port/,
      remedy: /edit .*one\.yml:3: write host:port/,
    };
  });
});

describe('a socket that is there', () => {
  fault('and discards what it receives: netflow of 8.12 after a failed bind', async (trial) => {
    const port = await ownPort();
    const thief = await trial.process({ argv: ['nc'], sockets: [`udp 127.0.0.1:${port}`] });
    const text = inputs(input('netflow', `127.0.0.1:${port}`));
    const one = await trial.release('one', '8.12.2', text, [`udp 127.0.0.1:${port}`]);
    trial.wait(5);
    assert.deepEqual(tell(await trial.scan(), trial).lines, [`port_taken one udp 127.0.0.1:${port} held-by`]);
    await thief.stop();
    await one.bind(`udp 127.0.0.1:${port}`);
    return {
      report: await trial.scan(),
      lines: [`listener_deaf one udp 127.0.0.1:${port} bind-failed`],
      cause: /this release then discards/,
    };
  });

  fault('on IPv4 only', async (trial) => {
    const port = await ownPort();
    await trial.filebeat('one', [`:${port}`], { sockets: [`udp4 0.0.0.0:${port}`] });
    return { report: await trial.scan(), lines: [`port_narrower one udp *:${port} ipv4-only-socket`] };
  });

  fault('on a port that the system picked', async (trial) => {
    await trial.filebeat('one', ['127.0.0.1:0']);
    return { report: await trial.scan(), lines: ['port_random one udp 127.0.0.1:0 none'], remedy: /name a port/ };
  });

  fault('and that nobody asked for', async (trial) => {
    const [a, b] = await ports(2);
    await trial.filebeat('one', [`127.0.0.1:${a}`], { sockets: [`udp 127.0.0.1:${a}`, `udp 127.0.0.1:${b}`] });
    await trial.scan();
    return {
      report: await trial.scan(),
      lines: [`socket_unexpected one udp 127.0.0.1:${b} none`],
      remedy: new RegExp(`sudo ss -lunp 'sport = :${b}'$`),
    };
  });

  fault('and is nearly full', async (trial) => {
    const port = await ownPort();
    await trial.filebeat('one', [`127.0.0.1:${port}`]);
    await trial.scan();
    await send(port, 80, 1400);
    return {
      report: await trial.scan(),
      lines: [`queue_high one udp 127.0.0.1:${port} queue`],
      cause: /KiB are waiting to be read/,
    };
  });

  fault('and loses datagrams', async (trial) => {
    const port = await ownPort();
    const one = await trial.filebeat('one', [`127.0.0.1:${port}`]);
    await trial.scan();
    await send(port, 200, 1400);
    await one.receive(one.descriptors[0]!, 1000);
    return {
      report: await trial.scan(),
      lines: [`drops one udp 127.0.0.1:${port} dropped`],
      cause: /\d+ datagrams lost within 5m/,
      remedy: /edit .*one\.yml:3: raise read_buffer/,
    };
  });

  fault('with a smaller buffer than it asks for', async (trial) => {
    const port = await ownPort();
    await trial.release('one', '8.19.21', inputs(input('udp', `127.0.0.1:${port}`, ', read_buffer: 1GiB')), [
      `udp 127.0.0.1:${port}`,
    ]);
    return {
      report: await trial.scan(),
      lines: [`buffer_capped one udp 127.0.0.1:${port} rmem-max`],
      remedy: /net\.core\.rmem_max=1073741824/,
    };
  });
});

describe('a plain port', () => {
  fault('that is bound by nobody, and one by the wrong process', async (trial) => {
    const [a, b, c] = (await ports(3)) as [number, number, number];
    await trial.process({ argv: ['nc'], sockets: [`udp :${b}`, `udp :${c}`] });
    const plain = (port: number, process?: string) => ({
      port,
      protocol: 'udp' as const,
      ...(process ? { process } : {}),
    });
    trial.settings = { ...trial.settings, ports: [plain(a), plain(b, 'rsyslogd'), plain(c)] };
    const report = await trial.scan();
    return {
      report,
      lines: [
        ...[`static_port_down udp *:${a} none`, `static_port_down udp *:${b} wrong-process`].sort(
          (x, y) => Number(/:(\d+)/.exec(x)![1]) - Number(/:(\d+)/.exec(y)![1]),
        ),
      ],
      cause: /\(nc\) holds it, not the process that the settings name/,
    };
  });
});
