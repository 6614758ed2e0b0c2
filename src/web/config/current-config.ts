/** The web configuration in use. Changed files are read again at the next request; an invalid configuration is not used. */
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

const maxBytes = 1024 * 1024;

/**
 * `file`: path of `--web.config.file`, if given. Throws an Error of one sentence if it is invalid. The returned function
 * never throws: an invalid change is logged once, and the previous configuration stays in use. A change is used once its
 * files have been unchanged for `seconds`.
 */
export function watchConfig(file: string | undefined, log: Log, seconds = quietSeconds): () => Current {
  if (file === undefined) return () => ({ config: openConfig });
  let watched = [file];
  let seen = filesSignature(watched);
  const load = (previous?: Current): Current | Problem[] => {
    watched = [file];
    const content = readRegularFile(file, maxBytes);
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
  const isQuiet = createQuietCheck(seconds);
  /** Undefined: a file changed while it was read, or so recently that it may not be complete. */
  const attempt = (previous?: Current): Current | Problem[] | undefined => {
    const before = watched;
    const signature = filesSignature(before);
    if (previous !== undefined && !isQuiet(before, signature)) return undefined;
    const result = load(previous);
    const after = watched;
    watched = before;
    if (filesSignature(before) !== signature) return undefined;
    watched = after;
    seen = filesSignature(after);
    return result;
  };
  const textOf = (problems: Problem[]) => problems.map((problem) => problemText(file, problem)).join('; ');
  const logNotices = ({ config }: Current) => {
    for (const notice of config.notices) log('warn', problemText(file, notice));
  };

  const first = attempt();
  if (first === undefined) throw new Error(`${file}: is being written`);
  if (Array.isArray(first)) throw new Error(textOf(first));
  logNotices(first);
  let current: Current = first;
  return () => {
    if (filesSignature(watched) === seen) return current;
    const next = attempt(current);
    if (next === undefined) return current;
    const problems = Array.isArray(next) ? next : opened(current, next.config);
    if (Array.isArray(next) || problems.length > 0)
      log('error', `web configuration not reloaded, the previous one stays in use: ${textOf(problems)}`);
    else {
      log('info', 'web configuration reloaded');
      for (const loss of losses(current, next)) log('warn', `web configuration: ${loss}`);
      current = next;
      logNotices(next);
    }
    return current;
  };
}

/** Refuses a change that removes protection by an empty file or section: a full disk or a template without values leaves such a file. */
function opened(before: Current, { blank }: WebConfig): Problem[] {
  const hadTls = before.secure !== undefined;
  const hadUsers = before.config.users.size > 0;
  const what = 'is empty, which would remove protection from the running server; if that is intended,';
  if (blank.includes('file')) return hadTls || hadUsers ? [{ what: `${what} restart the exporter` }] : [];
  const removeKey = `${what} remove the key or restart the exporter`;
  return [
    ...(hadTls && blank.includes('tls_server_config') ? [{ key: 'tls_server_config', what: removeKey }] : []),
    ...(hadUsers && blank.includes('basic_auth_users') ? [{ key: 'basic_auth_users', what: removeKey }] : []),
  ];
}

function losses(before: Current, next: Current): string[] {
  return [
    ...(before.secure !== undefined && next.secure === undefined ? ['TLS is now off'] : []),
    ...(before.config.users.size > 0 && next.config.users.size === 0 ? ['no password is required any more'] : []),
  ];
}
