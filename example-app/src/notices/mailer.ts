// The interface between the app and what sends its mail.

/** A plain-text mail to one address. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /**
   * Identifies the mail. A mail that is sent twice has the same `Message-ID`, so mail programs that
   * look at it show it once.
   */
  readonly id?: string;
}

export interface Mailer {
  /**
   * Resolves when the mail server has accepted the mail.
   *
   * @throws {MailServerDown} if no other mail could be sent now either
   */
  send(mail: Mail): Promise<void>;
  /** Aborts the mail that is being sent; `send` then throws. */
  close(): void;
}

export class MailServerDown extends Error {
  override readonly name = 'MailServerDown';
}
