/** A start that the operator has to change something for, or that may succeed later. */

/** A start-up option that cannot be honoured: `main` prints the message and ends with the code for it. */
export class StartError extends Error {
  /** `mayPass`: nothing has to be changed, a later start may succeed. */
  constructor(
    message: string,
    readonly mayPass = false,
  ) {
    super(message);
  }
}
