/** The web configuration in use. Files that changed are read again at the next request; an invalid configuration is not used. */

import { type Problem, problemText } from '../../filebeat/yaml/yaml-schema.js';
import { loadSecure, type Secure } from '../tls.js';
import { filesSignature, readRegularFile } from './config-file.js';
import { createQuietCheck, quietSeconds } from './unchanged-files.js';
import { openConfig, parseWebConfig, type WebConfig } from './web-config.js';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;

export interface Current {
  config: WebConfig;
  /** The same object for as long as the TLS settings do not change. */
  secure?: Secure;
}

const maximalBytes = 1024 * 1024;

/**
 * `file` is the path of `--web.config.file`, if given. Throws an Error of one sentence where it is invalid. The returned
 * function never throws: an invalid change is logged once, and the previous configuration stays. A change is used once its
 * files have been unchanged for `rest` seconds.
 */
export function watchConfig(file: string | undefined, log: Log, rest = quietSeconds): () => Current {
  if (file === undefined) return () => ({ config: openConfig });
  let watched = [file];
  let seen = filesSignature(watched);
  const load = (previous?: Current): Current | Problem[] => {
    watched = [file];
    const content = readRegularFile(file, maximalBytes);
    if (!content.ok) return [{ what: content.what }];
    const parsed = parseWebConfig(content.bytes, file);
    if (!parsed.ok) return parsed.problems;
    const { config } = parsed;
    const { tls } = config;
    if (!tls) return { config };
    for (const pem of [tls.certificate, tls.privateKey, tls.clientCa]) if (pem && 'path' in pem) watched.push(pem.path);
    const loaded = loadSecure(tls);
    if (!loaded.ok) return loaded.problems;
    const { secure } = loaded;
    const same = previous?.secure?.fingerprint === secure.fingerprint;
    return { config, secure: same && previous?.secure ? previous.secure : secure };
  };
  const isAtRest = createQuietCheck(rest);
  /** Undefined: a file changed while it was read, or so recently that it may not be complete. */
  const attempt = (previous?: Current): Current | Problem[] | undefined => {
    const before = watched;
    const signature = filesSignature(before);
    if (previous !== undefined && !isAtRest(before, signature)) return undefined;
    const result = load(previous);
    const after = watched;
    watched = before;
    if (filesSignature(before) !== signature) return undefined;
    watched = after;
    seen = filesSignature(after);
    return result;
  };
  const say = (problems: Problem[]) => problems.map((problem) => problemText(file, problem)).join('; ');
  const announce = ({ config }: Current) => {
    for (const notice of config.notices) log('warn', problemText(file, notice));
  };

  const first = attempt();
  if (first === undefined) throw new Error(`${file}: is being written`);
  if (Array.isArray(first)) throw new Error(say(first));
  announce(first);
  let current: Current = first;
  return () => {
    if (filesSignature(watched) === seen) return current;
    const next = attempt(current);
    if (next === undefined) return current;
    const problems = Array.isArray(next) ? next : opened(current, next.config);
    if (Array.isArray(next) || problems.length > 0) log('error', `web configuration not changed: ${say(problems)}`);
    else {
      log('info', 'web configuration read again');
      for (const loss of losses(current, next)) log('warn', `web configuration: ${loss}`);
      current = next;
      announce(next);
    }
    return current;
  };
}

/** Problems of a change that removes protection by an empty file or section, as a full disk or a template without values leaves it. */
function opened(before: Current, { blank }: WebConfig): Problem[] {
  const hadTls = before.secure !== undefined;
  const hadUsers = before.config.users.size > 0;
  const what = 'is empty, and would open the server while it runs; remove the key, or restart, to mean it';
  if (blank.includes('file')) return hadTls || hadUsers ? [{ what: what.replace('remove the key, or ', '') }] : [];
  return [
    ...(hadTls && blank.includes('tls_server_config') ? [{ key: 'tls_server_config', what }] : []),
    ...(hadUsers && blank.includes('basic_auth_users') ? [{ key: 'basic_auth_users', what }] : []),
  ];
}

function losses(before: Current, next: Current): string[] {
  return [
    ...(before.secure !== undefined && next.secure === undefined ? ['clients are served without TLS from now on'] : []),
    ...(before.config.users.size > 0 && next.config.users.size === 0
      ? ['nobody is asked for a password from now on']
      : []),
  ];
}
