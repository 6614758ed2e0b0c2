/** Why an instance is expected. */
import type { InstanceOrigin } from '../model/model.js';

/** After `Expected because`, for an instance that is down. */
export const expectedBecause: Record<InstanceOrigin, string> = {
  process: 'it was running when last seen',
  systemd: 'an enabled systemd unit starts it',
  declared: 'the exporter’s settings declare it',
  config_glob: 'its file matches config_globs',
  remembered: 'it was seen running before',
};
