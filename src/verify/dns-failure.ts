/** A question to DNS that has no answer, with a code as `node:dns` has them. */
export class DnsFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
