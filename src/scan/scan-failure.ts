/** A scan that failed as a whole. Its message is fit to be shown. */
export class ScanFailure extends Error {}
