/** A scan failed as a whole. Users see the message. */
export class ScanFailure extends Error {}
