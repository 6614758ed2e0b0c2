/**
 * When the machine was booted, on the clock of start times: field 22 of `/proc/<pid>/stat` counts ticks of CLOCK_BOOTTIME.
 * `/proc/uptime` has the same clock in hundredths of a second, `btime` of `/proc/stat` whole seconds. In a container lxcfs may
 * replace these two files, and a mount with `subset=pid` has neither; then the start of the exporter's process is a bound.
 */
import { TICKS_PER_SECOND } from '../model/instance-rules.js';
import type { Gap } from '../model/model.js';
import { type Clock, type Moment, momentOf, sinceStart, stepBetween, systemClock } from '../runtime/clock.js';
import type { ProcFs } from './proc-fs.js';
import { parseBootTime, parseStat } from './process-files.js';

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

const REMEDY = 'mount the host’s /proc and name it with --path.procfs';

export function createBootClock(procfs: ProcFs, clock: Clock = systemClock): BootClock {
  let time: number | undefined;
  let boot: Boot | undefined;
  let before: Moment | undefined;
  /** By how much the clock was set since the start. */
  let steps = 0;
  let own: number | undefined;
  let compared: { at: number; gap: Gap | undefined } | undefined;

  const ahead = () => clock.ahead?.() ?? 0;

  function uptime(): number | undefined {
    const reading = procfs.real ? procfs.piece('uptime') : undefined;
    const seconds = reading?.ok ? Number.parseFloat(reading.value) : Number.NaN;
    return Number.isFinite(seconds) ? seconds + ahead() : undefined;
  }

  /** Start of the exporter's process, seconds after boot. */
  function ownStart(): number | undefined {
    if (own !== undefined || !procfs.real) return own;
    const reading = procfs.piece('self/stat');
    const stat = reading.ok ? parseStat(reading.value) : undefined;
    own = stat && stat.startTicks / TICKS_PER_SECOND;
    return own;
  }

  /** Whether `btime` agrees with the other two clocks. The kernel moves it with the wall clock. */
  function compare({ at, steady, uptime: up }: Moment): Gap | undefined {
    if (compared !== undefined && steady - compared.at < BTIME_KEPT_S) return compared.gap;
    const began = clock.steady();
    const reading = procfs.text('stat');
    if (clock.steady() - began > SET_S) return compared?.gap;
    const btime = reading.ok ? parseBootTime(reading.value) : undefined;
    const differs =
      btime !== undefined &&
      up !== undefined &&
      // A wall clock that differs only for this program (faketime) is not the kernel's.
      [at, at - steps].every((now) => Math.abs(now - up - btime) > TOLERANCE_S);
    const gap: Gap | undefined = !reading.ok
      ? { ...reading.gap, reason: 'vantage', detail: `the boot time cannot be read here; ${REMEDY}` }
      : differs
        ? {
            reason: 'vantage',
            subject: '/proc/stat',
            detail: `its boot time and /proc/uptime are ${Math.round(Math.abs(at - up - btime))} s apart (lxcfs?); ${REMEDY}`,
          }
        : undefined;
    compared = { at: steady, gap };
    return gap;
  }

  /** A directory of fixtures has only one source. */
  function fromStat(moment: Moment): Boot {
    const reading = procfs.text('stat');
    const btime = reading.ok ? parseBootTime(reading.value) : undefined;
    return { moment, sure: btime !== undefined, gaps: [], ...(btime === undefined ? {} : { time: btime }) };
  }

  function judge(moment: Moment): Boot {
    const started = ownStart();
    const least = started === undefined ? undefined : started + sinceStart() + ahead();
    const { at, uptime: up } = moment;
    const isShort = up !== undefined && least !== undefined && up < least - TOLERANCE_S;
    const since = up === undefined || isShort ? least : up;
    const exact = since === undefined ? undefined : Math.round((at - since) * 100) / 100;
    // Reused, so that a start time does not change until the clock is set.
    if (time === undefined || exact === undefined || Math.abs(exact - time) > SET_S) time = exact;
    const unreadable = up === undefined;
    const gap: Gap[] = unreadable
      ? [
          {
            reason: 'vantage',
            subject: '/proc/uptime',
            detail: `cannot be read, so no start time is sure; ${REMEDY}`,
          },
        ]
      : isShort
        ? [
            {
              reason: 'vantage',
              subject: '/proc/uptime',
              detail: `is ${Math.round(least - up)} s short of what start times say (lxcfs?), so none of them is sure; ${REMEDY}`,
            },
          ]
        : [];
    const other = compare(moment);
    return {
      moment,
      sure: !unreadable && !isShort,
      gaps: [...gap, ...(other === undefined || isShort ? [] : [other])],
      ...(time === undefined ? {} : { time }),
    };
  }

  function read(): Boot {
    const moment = momentOf(clock, uptime);
    steps += stepBetween(before, moment);
    before = moment;
    boot = procfs.real ? judge(moment) : fromStat(moment);
    return boot;
  }

  return { read, last: () => boot ?? read() };
}
