// Mail to people: what a mail is, and who takes it. Sends nothing itself, and knows nothing of
// events.

/** Plain text for one person. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /**
   * Names the mail for ever: one that is sent twice is then shown once by whoever looks at
   * Message-IDs.
   */
  readonly id?: string;
}

export interface Mailer {
  /**
   * Resolves once the mail is in other hands.
   *
   * @throws {MailServerDown} where no other mail could be sent now either
   */
  send(mail: Mail): Promise<void>;
  /** Lets go of mail that is on its way; `send` then throws. */
  close(): void;
}

export class MailServerDown extends Error {
  override readonly name = 'MailServerDown';
}
