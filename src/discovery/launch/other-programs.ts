/** Programs that are neither launchers nor shells: what they may start of a Filebeat that their arguments or files name. */
import { containerEngines, supervisors } from './known-programs.js';
import {
  absolute,
  ended,
  isKnown,
  type Launch,
  type LaunchContext,
  namesFilebeat,
  type Outcome,
  unclear,
} from './launch-context.js';
import { contentOf, isFilebeatProgram } from './programs.js';

const interpreters =
  /^(?:python[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|php[\d.]*|lua[\d.]*|tclsh[\d.]*|expect|execlineb|java|guile|awk|mawk|gawk|rc|es)$/;

/** Notes the units that `systemctl start` names. */
export function noteRequestedUnits(args: readonly string[], world: LaunchContext): void {
  if (!args.some((word) => /^(?:start|restart|reload-or-restart|enable)$/.test(word))) return;
  for (const word of args)
    if (!word.startsWith('-')) world.requestedUnits.add(word.includes('.') ? word : `${word}.service`);
}

/** Reports the program as unclear where it may start a Filebeat. */
export function otherProgram(base: string, path: string, launch: Launch, world: LaunchContext): Outcome {
  const args = launch.argv.slice(1);
  if (Object.hasOwn(supervisors, base)) return supervisor(base, args, world);
  if (containerEngines.has(base)) {
    const runs = args.some((word) => /^(?:run|start|up|exec|create|compose)$/.test(word));
    const isSaid = runs && args.some((word) => namesFilebeat(word, world));
    return isSaid ? unclear(path, 'it starts a container, and what runs in there is not read', world) : ended;
  }
  if (interpreters.test(base)) {
    const file = args.find((word) => !word.startsWith('-'));
    const content = file === undefined || !isKnown(file) ? undefined : contentOf(absolute(file, launch.cwd), world);
    const text = content === undefined || content.kind === 'program' ? '' : content.text;
    const isSaid = [text, ...args].some((one) =>
      /(?:^|[\s/'"`=([,])(?:filebeat|agentbeat|elastic-otel-collector)(?=$|[\s'"`),\]])/m.test(one),
    );
    return isSaid ? unclear(file ?? path, `a program for ${base} names a Filebeat`, world) : ended;
  }
  const isNamed = args.some((word, at) =>
    /\s/.test(word)
      ? word.split(/[\s;&|'"]+/).some((piece) => isFilebeatProgram(piece, 'filebeat', world.processNames))
      : isFilebeatProgram(word, args[at + 1], world.processNames),
  );
  return isNamed ? unclear(path, 'what it does with the Filebeat that it names is not known', world) : ended;
}

/** A supervisor: starts what its files name, which are directories of `run` scripts or files of lines. */
function supervisor(base: string, args: readonly string[], world: LaunchContext): Outcome {
  const named = args.filter((word) => word.startsWith('/'));
  const paths = [...named, ...supervisors[base]!];
  const seen = new Set<string>();
  const readConfig = (path: string, depth: number): void => {
    const real = world.files.resolve(path);
    if (!real.ok || seen.has(real.value) || depth > 3) return;
    seen.add(real.value);
    const stat = world.files.stat(path);
    if (!stat.ok) return;
    if (stat.value.kind === 'directory') {
      const names = world.files.list(path, 2000);
      for (const name of names.ok ? names.value : [])
        if (!/^(?:log|supervise|env|data|\.)/.test(name)) readConfig(`${path}/${name}`, depth + 1);
      return;
    }
    const content = contentOf(path, world);
    if (content.kind === 'program') return;
    const lines = content.text.split('\n').filter((line) => !/^\s*[#;]/.test(line));
    const isCron = base.startsWith('cron') || base === 'anacron';
    const relevant = isCron ? lines.filter((line) => /^\s*@reboot\b/.test(line)) : lines;
    if (!relevant.some((line) => startsOne(line, world))) return;
    world.unclear.push({ subject: path, why: `${base} starts a Filebeat from it` });
  };
  for (const path of paths) readConfig(path, 0);
  return ended;
}

function startsOne(line: string, world: LaunchContext): boolean {
  return line.split(/[\s;&|'"=]+/).some((word) => isFilebeatProgram(word, 'filebeat', world.processNames));
}
