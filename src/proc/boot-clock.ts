/**
 * When the machine was booted, on the clock of start times: field 22 of `/proc/<pid>/stat` counts ticks of CLOCK_BOOTTIME.
 * `/proc/uptime` has the same clock in hundredths of a second, `btime` of `/proc/stat` whole seconds. In a container lxcfs may
 * replace these two files, and a mount with `subset=pid` has neither; then the start of the exporter's process is a bound.
 */
import { TICKS_PER_SECOND } from '../model/instance-rules.js';
import type { Gap, Reading } from '../model/model.js';
import { type Clock, type Moment, momentOf, sinceStart, stepBetween, systemClock } from '../runtime/clock.js';
import { type ProcFs, statOf } from './proc-fs.js';
import { parseBootTime } from './process-files.js';

/** The boot time as one scan determined it. */
export interface Boot {
  moment: Moment;
  /** Seconds since the epoch; absent where unknown. Start times are this plus their ticks. */
  time?: number;
  /** False: `time` is an upper bound, since the files are missing or contradict start times. */
  sure: boolean;
  gaps: Gap[];
}

export interface BootClock {
  /** To be called once per scan. */
  read(): Boot;
  /** The last result. */
  last(): Boot;
}

/** Two readings that differ by more: the clock was set. Seconds. */
const SET_S = 0.5;
/** How much two sources may differ because they are read one after the other. Seconds. */
const TOLERANCE_S = 2;
/** How often `/proc/stat` is read, which is slow on large machines. Seconds. */
const BTIME_KEPT_S = 60;

/** Start times are only comparable within one boot clock. */
export function createBootClock(procfs: ProcFs, clock: Clock = systemClock): BootClock {
  let time: number | undefined;
  let boot: Boot | undefined;
  let before: Moment | undefined;
  /** By how much the clock was set since the start. */
  let steps = 0;
  let ownStart: number | undefined;
  let compared: { at: number; gap: Gap | undefined } | undefined;

  const ahead = () => clock.ahead?.() ?? 0;

  function uptime(): number | undefined {
    const reading = procfs.real ? procfs.piece('uptime') : undefined;
    const seconds = reading?.ok ? Number.parseFloat(reading.value) : Number.NaN;
    return Number.isFinite(seconds) ? seconds + ahead() : undefined;
  }

  /** The gap where `/proc/stat` contradicts `/proc/uptime`; checked once in BTIME_KEPT_S. */
  function compare(moment: Moment): Gap | undefined {
    if (compared !== undefined && moment.steady - compared.at < BTIME_KEPT_S) return compared.gap;
    const began = clock.steady();
    const reading = procfs.text('stat');
    // After a slow read the moment is too old to compare.
    if (clock.steady() - began > SET_S) return compared?.gap;
    compared = { at: moment.steady, gap: bootTimeGap(reading, moment, steps) };
    return compared.gap;
  }

  function bootAt(moment: Moment): Boot {
    ownStart ??= ownStartOf(procfs);
    const least = ownStart === undefined ? undefined : ownStart + sinceStart() + ahead();
    const { at, uptime: reported } = moment;
    const isShort = reported !== undefined && least !== undefined && reported < least - TOLERANCE_S;
    const elapsed = reported === undefined || isShort ? least : reported;
    const exact = elapsed === undefined ? undefined : Math.round((at - elapsed) * 100) / 100;
    // Reused, so that a start time does not change until the clock is set.
    if (time === undefined || exact === undefined || Math.abs(exact - time) > SET_S) time = exact;
    const detail =
      reported === undefined
        ? 'cannot be read, so no start time is sure'
        : isShort
          ? `is ${Math.round(least - reported)} s short of what start times say (lxcfs?), so none of them is sure`
          : undefined;
    const other = compare(moment);
    return {
      moment,
      sure: detail === undefined,
      gaps: [
        ...(detail === undefined ? [] : [vantageGap('/proc/uptime', detail)]),
        ...(other === undefined || isShort ? [] : [other]),
      ],
      ...(time === undefined ? {} : { time }),
    };
  }

  function read(): Boot {
    const moment = momentOf(clock, uptime);
    steps += stepBetween(before, moment);
    before = moment;
    boot = procfs.real ? bootAt(moment) : bootOfFixture(procfs, moment);
    return boot;
  }

  return { read, last: () => boot ?? read() };
}

/** A directory of fixtures has only one source. */
function bootOfFixture(procfs: ProcFs, moment: Moment): Boot {
  const reading = procfs.text('stat');
  const btime = reading.ok ? parseBootTime(reading.value) : undefined;
  return { moment, sure: btime !== undefined, gaps: [], ...(btime === undefined ? {} : { time: btime }) };
}

/** Start of the exporter's process, seconds after boot. */
function ownStartOf(procfs: ProcFs): number | undefined {
  const stat = procfs.real ? statOf(procfs, 'self') : undefined;
  return stat && stat.startTicks / TICKS_PER_SECOND;
}

/** `stat`: the text of `/proc/stat`. The kernel moves `btime` with the wall clock, which was set by `steps` since the start. */
function bootTimeGap(stat: Reading<string>, { at, uptime }: Moment, steps: number): Gap | undefined {
  if (!stat.ok) return vantageGap(stat.gap.subject, 'the boot time cannot be read here');
  const btime = parseBootTime(stat.value);
  if (btime === undefined || uptime === undefined) return undefined;
  const difference = (now: number) => Math.abs(now - uptime - btime);
  // A wall clock that differs only for this program (faketime) is not the kernel's.
  if (difference(at) <= TOLERANCE_S || difference(at - steps) <= TOLERANCE_S) return undefined;
  return vantageGap('/proc/stat', `its boot time and /proc/uptime are ${Math.round(difference(at))} s apart (lxcfs?)`);
}

function vantageGap(subject: string, detail: string): Gap {
  return { reason: 'vantage', subject, detail: `${detail}; mount the host’s /proc and name it with --path.procfs` };
}
