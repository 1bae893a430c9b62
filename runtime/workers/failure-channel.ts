import type { FailureShare } from "../security/failure-limit.ts";

/** A worker's end of the channel on which workers tell each other of wrong credentials, through their supervisor. */
export class FailureChannel implements FailureShare {
  readonly #send: (network: string) => void;
  #heard: (network: string) => void = () => {};

  constructor(send: (network: string) => void) {
    this.#send = send;
  }

  async tell(network: string): Promise<undefined> {
    this.#send(network);
  }

  /** The configuration that is in force last is told. */
  listen(heard: (network: string) => void): void {
    this.#heard = heard;
  }

  /** Another worker has told of a failure. */
  hear(network: string): void {
    this.#heard(network);
  }
}
