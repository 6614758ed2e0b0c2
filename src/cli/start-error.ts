/** A start that failed for a reason outside the program: `main` prints the message and exits with the code for it. */
export class StartError extends Error {
  /** `mayPass`: a later start may succeed without any change, e.g. when an address is in use. */
  constructor(
    message: string,
    readonly mayPass = false,
  ) {
    super(message);
  }
}
