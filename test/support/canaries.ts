/**
 * A host full of secrets: processes, configurations, units, settings, each with marked texts where people put
 * passwords, or where a careless message would quote one; names of settings and paths are not secrets. `leaks` finds every secret.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type StandIn, startStandIn } from './stand-in.js';

export interface Canaries {
  /** A new secret; `where` is for the message of a test that finds it. */
  plant(where: string): string;
  readonly count: number;
  /** Where the secrets found in a text were planted. */
  leaks(text: string): string[];
}

/** They consist of letters and digits, so they look the same in URLs, JSON and HTML. */
export function createCanaries(): Canaries {
  const planted: string[] = [];
  const run = Math.random().toString(36).slice(2, 8);
  return {
    plant(where) {
      planted.push(where);
      return `cAnArY${run}x${String(planted.length - 1).padStart(3, '0')}`;
    },
    get count() {
      return planted.length;
    },
    leaks: (text) => [
      ...new Set(
        [...text.matchAll(new RegExp(`cAnArY${run}x(\\d{3})`, 'gi'))].map(([, index]) => planted[Number(index)]!),
      ),
    ],
  };
}

export interface SecretHost {
  /** For `--path.rootfs`. */
  root: string;
  /** The exporter's settings file, valid and invalid. */
  settings: string;
  spoilSettings(): void;
  /** A web configuration with a user, valid and invalid. */
  web: string;
  spoilWeb(): void;
  /** `config` labels of running Filebeats. */
  configs: string[];
  /** Their processes. */
  pids: number[];
  /** Command lines for `explain`. */
  commandLines: string[][];
  /** Variables for `explain --env`. */
  env: string[];
  stop(): Promise<void>;
}

export async function startSecretHost({ plant }: Canaries, ports: readonly number[]): Promise<SecretHost> {
  const root = mkdtempSync(join(tmpdir(), 'canaries-'));
  const write = (name: string, text: string) => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const link = (name: string, target: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    symlinkSync(target, join(root, name));
  };
  const standIns: StandIn[] = [];
  const configs: string[] = [];
  const commandLines: string[][] = [];
  async function filebeat(name: string, text: string, more: { args?: string[]; env?: Record<string, string> } = {}) {
    const config = write(`etc/${name}.yml`, text);
    const home = join(root, 'home');
    const argv = ['filebeat', '-c', config, '--path.home', home, '--path.data', join(root, 'data', name)];
    argv.push(...(more.args ?? []));
    // If the command line is refused, the file is not known.
    if (more.args === undefined || more.args.length === 0 || name === 'full') configs.push(config);
    commandLines.push(argv);
    const environment = { DB_PASSWORD: plant(`${name}: environ`), ...more.env };
    standIns.push(await startStandIn({ argv, cwd: root, env: environment }));
  }
  const input = (port: number | undefined) => `- {type: udp, host: "127.0.0.1:${port}"}`;
  const output = 'output.console.enabled: true\n';

  write('data/full/filebeat.keystore', `v1:${plant('keystore')}`);
  write('data/full/filebeat.lock', plant('lock file'));
  write('data/full/meta.json', `{"uuid": "${plant('meta.json')}"}`);
  write('data/full/registry/filebeat/log.json', `{"source": "${plant('registry')}"}\n`);
  write(
    'etc/inputs.d/broken.yml',
    `- type: udp\n  host: "127.0.0.1:1\n  password: ${plant('included file, not closed')}\n`,
  );
  write('etc/inputs.d/tagged.yml', `- type: udp\n  host: !!int ${plant('included file, wrong tag')}\n`);
  write(
    'etc/inputs.d/fine.yml',
    `- type: udp # ${plant('comment of an included file')}\n  host: 127.0.0.1:${ports[1]}\n`,
  );
  mkdirSync(join(root, 'etc/inputs.d/folder.yml'), { recursive: true });
  write('etc/modules.d/nginx.yml', `- module: nginx\n  access:\n    var.api_key: ${plant('module variable')}\n`);
  write('etc/modules.d/odd.yml', `- module: ["${plant('module name that is none')}"]\n`);
  await filebeat(
    'full',
    `# ${plant('comment')}
x-anchor: &${plant('name of an anchor')} {password: ${plant('anchored map')}}
name: ${plant('name')}
tags: [${plant('tags')}]
fields: {token: ${plant('fields')}}
cloud.id: "${plant('cloud.id')}"
cloud.auth: "elastic:${plant('cloud.auth')}"
filebeat.inputs:
- ${input(ports[0]).slice(2)}
- type: tcp
  host: "127.0.0.1:${ports[2]}"
  id: ${plant('id of an input')}
  ssl: {certificate: "${plant('inline certificate')}", key: "${plant('inline key')}", key_passphrase: "${plant('passphrase')}"}
- type: http_endpoint
  enabled: true
  listen_address: 127.0.0.1
  listen_port: ${ports[3]}
  url: /${plant('path of an http_endpoint')}
  secret.header: X-Token
  secret.value: ${plant('secret of an http_endpoint')}
  username: ${plant('user of an http_endpoint')}
  password: ${plant('password of an http_endpoint')}
- type: httpjson
  auth.basic: {user: u, password: ${plant('password of an input')}}
  request.url: https://u:${plant('URL of an input')}@example.com/
- type: log
  paths: ["/var/log/${plant('paths of an input')}/*.log"]
- type: kafka
  hosts: [k:9092]
  topics: [t]
  group_id: g
  password: \${KAFKA_PASSWORD:${plant('default of a variable')}}
filebeat.config.inputs: {enabled: true, path: ${root}/etc/inputs.d/*.yml, reload.enabled: true}
filebeat.config.modules: {enabled: true, path: ${root}/etc/modules.d/*.yml}
processors:
- add_fields: {fields: {key: ${plant('processor')}}}
- script: {lang: javascript, source: "function process(e) { e.Put('a', '${plant('script')}') }"}
output.elasticsearch:
  hosts: ["https://user:${plant('URL of an output')}@es:9200", "http://${plant('host of an output')}:9200"]
  username: ${plant('user of an output')}
  password: \${ES_PASSWORD}
  api_key: "${plant('api_key of an output')}"
  headers: {Authorization: "${plant('header of an output')}"}
  proxy_url: http://p:${plant('proxy')}@proxy
setup.kibana: {username: k, password: ${plant('kibana')}}
monitoring.elasticsearch.password: ${plant('monitoring')}
logging.files.path: /var/log/${plant('log path')}
`,
    {
      args: ['-E', `output.elasticsearch.password=${plant('-E')}`, '-M', `nginx.access.var.token=${plant('-M')}`],
      env: {
        ES_PASSWORD: plant('variable that the configuration uses'),
        HTTPS_PROXY: `http://u:${plant('proxy variable')}@p`,
      },
    },
  );
  const broken: [string, string, string[]?][] = [
    ['quote', `output.elasticsearch.password: "${plant('text that is not closed')}\n${output}`],
    ['tag', `a: !!float ${plant('wrong tag')}\n${output}`],
    ['owntag', `a: !${plant('name of a tag')} {x: 1}\n${output}`],
    ['alias', `a: *${plant('alias to nothing')}\n${output}`],
    ['merge', `a: {<<: ${plant('merge of a text')}}\n${output}`],
    ['key', `? [${plant('key that is a list')}]\n: 1\n${output}`],
    ['indent', `a: 1\n   ${plant('wrong indent')}: [\n${output}`],
    ['expansion', `filebeat.inputs: []\na: "\${${plant('expansion that is not closed')}"\n${output}`],
    ['operator', `filebeat.inputs: [{type: udp, host: "\${NOPE:?${plant('message of an expansion')}}"}]\n${output}`],
    ['list', `filebeat.inputs: ${plant('text where a list belongs')}\n${output}`],
    ['type', `filebeat.inputs: [{type: ${plant('unknown type')}, host: "127.0.0.1:9"}]\n${output}`],
    [
      'number',
      `filebeat.inputs: [{type: udp, host: "127.0.0.1:9", max_message_size: ${plant('size that is none')}}]\n${output}`,
    ],
    [
      'timeout',
      `filebeat.inputs: [{type: udp, host: "127.0.0.1:9", timeout: ${plant('duration that is none')}}]\n${output}`,
    ],
    [
      'bool',
      `filebeat.inputs: [{type: udp, host: "127.0.0.1:9", enabled: ${plant('boolean that is none')}}]\n${output}`,
    ],
    ['processor', `filebeat.inputs: []\nprocessors: [{nonsense: {a: ${plant('unknown processor')}}}]\n${output}`],
    ['output', `filebeat.inputs: []\noutput.nonsense.hosts: [${plant('unknown output')}]\n`],
    ['module', `filebeat.modules: [{module: ${plant('unknown module')}}]\n${output}`],
    ['fileset', `filebeat.modules: [{module: nginx, ${plant('unknown fileset')}: {enabled: true}}]\n${output}`],
    ['glob', `filebeat.config.inputs: {enabled: true, path: "/x/[${plant('pattern of an include')}"}\n${output}`],
    ['include', `filebeat.config.inputs: {enabled: true, path: "\${INCLUDES}/*.yml"}\n${output}`],
    [
      'keystore',
      `filebeat.inputs: [{type: udp, host: "\${FROM_KEYSTORE}"}]\n# ${plant('comment beside a keystore')}\n${output}`,
    ],
    ['bytes', `a: \u0001${plant('control character')}\n${output}`],
    ['flag', `filebeat.inputs: []\n${output}`, [`--unknown=${plant('value of an unknown flag')}`]],
    ['short', `filebeat.inputs: []\n${output}`, ['-d', plant('value of -d')]],
    ['override', `filebeat.inputs: []\n${output}`, ['-E', plant('-E without a value')]],
    ['badlist', `filebeat.inputs: []\n${output}`, ['-E', `filebeat.inputs=[{${plant('-E that cannot be read')}`]],
    ['strict', `filebeat.inputs: []\n${output}`, [`--strict.perms=${plant('flag that is no boolean')}`]],
    [
      'httphost',
      `http: {enabled: true, host: 127.0.0.1, port: ${plant('port that is none')}}\nfilebeat.inputs: []\n${output}`,
    ],
    [
      'dynamic',
      `filebeat.autodiscover.providers: [{type: ${plant('unknown provider')}, hints: ${plant('hints')}}]\n${output}`,
    ],
  ];
  for (const [name, text, args = []] of broken)
    await filebeat(name, text, {
      args,
      env: name === 'include' ? { INCLUDES: `/nowhere/${plant('folder of includes')}` } : {},
    });

  write('usr/share/filebeat/bin/filebeat', '#!/bin/sh\n');
  write(
    'etc/filebeat/unit.yml',
    `filebeat.inputs: [{type: udp, host: "127.0.0.1:\${PORT}"}]\noutput.file.path: ${plant('output of a unit')}\n`,
  );
  write('etc/default/unit-env', `PORT=${ports[4]}\nTOKEN=${plant('environment file of a unit')}\n`);
  const start = '/usr/share/filebeat/bin/filebeat -c /etc/filebeat/unit.yml --path.home /usr/share/filebeat';
  write(
    'etc/systemd/system/filebeat-unit.service',
    `# ${plant('comment of a unit')}
[Service]
Environment="PASSWORD=${plant('Environment= of a unit')}" 'BROKEN=${plant('Environment= that is not closed')}
EnvironmentFile=/etc/default/unit-env
EnvironmentFile=/etc/default/missing
SetCredential=pw:${plant('credential of a unit')}
ExecStartPre=/bin/login --password ${plant('ExecStartPre of a unit')}
ExecStart=${start} -E output.file.token=${plant('ExecStart of a unit')}
[Install]
WantedBy=multi-user.target
`,
  );
  link('etc/systemd/system/multi-user.target.wants/filebeat-unit.service', '/etc/systemd/system/filebeat-unit.service');
  write(
    'etc/systemd/system/filebeat-shell.service',
    `[Service]\nExecStart=/bin/sh -c 'TOKEN=${plant('shell of a unit')} exec ${start} $(cat /${plant('file of a shell')})'\n[Install]\nWantedBy=multi-user.target\n`,
  );
  link(
    'etc/systemd/system/multi-user.target.wants/filebeat-shell.service',
    '/etc/systemd/system/filebeat-shell.service',
  );

  const line = (what: string) => `${start} -E output.logstash.ssl.key_passphrase=${plant(`command line of ${what}`)}`;
  const launched: string[] = [
    `/bin/su - filebeat -c "${line('su -')}"`,
    `/bin/su -s /bin/bash - filebeat -c '${line('su with a shell')}'`,
    `/bin/su filebeat --command="${line('su with a long option')}"`,
    `/sbin/runuser -l filebeat -c '${line('runuser -l')}'`,
    `/sbin/runuser -u filebeat -- ${line('runuser -u')}`,
    `/usr/bin/sudo -i -u filebeat ${line('sudo -i')}`,
    `/usr/bin/sudo -u filebeat sh -c '${line('sudo and a shell')}'`,
    `/usr/bin/flock /run/lock/f -c '${line('flock')}'`,
    `/usr/bin/script -q -c '${line('script')}' /dev/null`,
    `/usr/bin/env -S "${line('env -S')}"`,
    `/usr/bin/env TOKEN=${plant('assignment of env')} filebeat ${line('env')}`,
    `/usr/bin/unknown-launcher filebeat -c '${line('a program that nobody knows')}'`,
    `/usr/bin/nice -n 5 python3 run.py filebeat -c '${line('a program behind nice')}'`,
    `/usr/bin/tmux new -d -s filebeat '${line('tmux')}'`,
    `/usr/bin/screen -dmS filebeat ${line('screen')}`,
    `/usr/bin/systemd-run --unit filebeat -p Environment=A=${plant('property of systemd-run')} ${line('systemd-run')}`,
    `/usr/bin/docker run -e TOKEN=${plant('environment of a container')} filebeat -c '${line('docker')}'`,
    `/sbin/start-stop-daemon --start -c filebeat --exec ${start.split(' ')[0]} -- ${line('start-stop-daemon').split(' ').slice(1).join(' ')}`,
    `/bin/bash -c 'eval "${line('eval')}"'`,
    `/bin/sh -c 'su filebeat -c "${line('su in a shell')}"'`,
    `/bin/busybox sh -c '${line('busybox')}'`,
  ];
  for (const [at, command] of launched.entries()) {
    const unit = `launched-filebeat-${at}.service`;
    write(`etc/systemd/system/${unit}`, `[Service]\nExecStart=${command}\n[Install]\nWantedBy=multi-user.target\n`);
    link(`etc/systemd/system/multi-user.target.wants/${unit}`, `/etc/systemd/system/${unit}`);
  }

  const declared = write(
    'etc/declared.yml',
    `filebeat.inputs: []\noutput.redis.password: ${plant('output of a declared one')}\n`,
  );
  const good = `instances:
  - name: declared
    argv: [filebeat, -c, ${declared.slice(root.length)}, -E, "output.redis.password=${plant('argv in the settings')}"]
    env: {REDIS_PASSWORD: ${plant('env in the settings')}} # ${plant('comment of the settings')}
`;
  const settings = write('exporter.yml', good);
  const hash = `$2b$04$${plant('web password hash').padEnd(53, 'a')}`;
  const web = write(
    'web.yml',
    `basic_auth_users: {scraper: "${hash}"} # ${plant('comment of the web configuration')}\n`,
  );
  return {
    root,
    settings,
    spoilSettings: () =>
      void write(
        'exporter.yml',
        `${good}thresholds: {receive_queue_ratio: ${plant('settings: a value')}}\nports: ["${plant('settings: a port')}\n`,
      ),
    web,
    spoilWeb: () =>
      void write(
        'web.yml',
        `basic_auth_users: {${plant('web: a user')}: "${plant('web: a hash')}"}\ntls_server_config: {cert: "${plant('web: a certificate')}"}\n`,
      ),
    configs,
    pids: standIns.map(({ pid }) => pid),
    commandLines,
    env: [`ES_PASSWORD=${plant('--env')}`],
    async stop() {
      await Promise.all(standIns.map((one) => one.stop()));
      rmSync(root, { recursive: true, force: true });
    },
  };
}
