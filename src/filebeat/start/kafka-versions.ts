/** Versions of Kafka that an output may name (libbeat/common/kafka/version.go and the sarama library behind it). */
import { applies, type ReleaseVersion } from '../releases/releases.js';

const SHORT = '0.8 0.8.2 0.9 0.9.0 0.10 0.10.0 0.10.1 0.10.2 0.11 0.11.0 1 1.0 1.1 2 2.0 2.1 2.2 2.3 2.4 2.5 2.6';
const FULL =
  '0.8.2.0 0.8.2.1 0.8.2.2 0.9.0.0 0.9.0.1 0.10.0.0 0.10.0.1 0.10.1.0 0.10.1.1 0.10.2.0 0.10.2.1 0.11.0.0 0.11.0.1 ' +
  '0.11.0.2 1.0.0 1.1.0 1.1.1 2.0.0 2.0.1 2.1.0 2.2.0 2.3.0 2.4.0 2.5.0 2.6.0';
const SHORT_LATER = '2.7 2.8 3 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 4 4.0 4.1';
const FULL_LATER =
  '0.10.2.2 1.0.1 1.0.2 2.1.1 2.2.1 2.2.2 2.3.1 2.4.1 2.5.1 2.6.1 2.6.2 2.6.3 2.7.0 2.7.1 2.7.2 2.8.0 2.8.1 2.8.2 ' +
  '3.0.0 3.0.1 3.0.2 3.1.0 3.1.1 3.1.2 3.2.0 3.2.1 3.2.2 3.2.3 3.3.0 3.3.1 3.3.2 3.4.0 3.4.1 3.5.0 3.5.1 3.5.2 ' +
  '3.6.0 3.6.1 3.6.2 3.7.0 3.7.1 3.7.2 3.8.0 3.8.1 3.9.0 3.9.1 4.0.0 4.1.0';

const always = new Set(`${SHORT} ${FULL}`.split(' '));
const later = new Set(`${SHORT_LATER} ${FULL_LATER}`.split(' '));

/** Whether an output accepts this `version`. */
export function knownKafkaVersion(version: string, release: ReleaseVersion): boolean {
  return always.has(version) || (applies('kafka-3', release) && later.has(version));
}

/** Default of `version`. */
export function defaultKafkaVersion(release: ReleaseVersion): string {
  return applies('kafka-default-2.1', release) ? '2.1.0' : '1.0.0';
}

/** Compares versions number by number. `2` counts as the newest 2.x. */
export function olderKafka(version: string, than: string): boolean {
  const parts = (text: string) => text.split('.').map(Number);
  const [a, b] = [parts(version), parts(than)];
  for (const [index, number] of b.entries()) {
    const other = a[index] ?? Number.MAX_SAFE_INTEGER;
    if (other !== number) return other < number;
  }
  return false;
}
