// A TCP proxy in front of a real server that loses an answer: the server did what it was asked, and
// the client never learns of it.
import { once } from 'node:events';
import { connect, createServer, type Server as TcpServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Server } from './server-process';

interface AwaitedMessage {
  readonly text: string;
  /** How many matching messages still pass, this one included. */
  left: number;
}

/** Enough of what was sent last to find a message that came in several pieces. */
const KEPT_CHARACTERS = 65_536;

export class LossyProxy {
  /** How many answers were lost so far. */
  lost = 0;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  #awaited: AwaitedMessage | null = null;
  #textToHold: string | null = null;
  #sendHeld: () => void = () => undefined;
  #isSilent = false;

  private constructor(target: Pick<Server, 'host' | 'port'>) {
    this.#server = createServer((client) => {
      this.#forward(client, connect(target.port, target.host));
    });
  }

  static async start(target: Pick<Server, 'host' | 'port'>): Promise<LossyProxy> {
    const proxy = new LossyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Forwards the nth message from now on that contains the text, in any case, and drops its answer
   * and the connection.
   */
  loseAnswerTo(text: string, nth = 1): void {
    this.#awaited = { text: text.toLowerCase(), left: nth };
  }

  /**
   * Holds the next message back that contains the text, in any case, and drops the connection of
   * its client at once. The server waits for it, with all that its transaction has locked.
   */
  holdBack(text: string): void {
    this.#textToHold = text.toLowerCase();
  }

  /** Sends the message that was held back. */
  sendHeld(): void {
    this.#sendHeld();
  }

  /** From now on requests arrive and no answer comes back, on every connection. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward(client: Socket, server: Socket): void {
    let sent = '';
    let isLosing = false;
    let isHeld = false;
    const end = (): void => {
      client.destroy();
      if (!isHeld) server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      sent = (sent + chunk.toString('latin1').toLowerCase()).slice(-KEPT_CHARACTERS);
      if (this.#textToHold !== null && sent.includes(this.#textToHold)) {
        this.#textToHold = null;
        this.lost += 1;
        isHeld = true;
        this.#sendHeld = () => {
          isHeld = false;
          server.end(chunk);
        };
        end();
        return;
      }
      if (this.#awaited !== null && sent.includes(this.#awaited.text)) {
        sent = '';
        isLosing = this.#takeAwaited(this.#awaited);
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (this.#isSilent) return;
      // What was asked is answered.
      sent = '';
      if (!isLosing) {
        client.write(chunk);
        return;
      }
      this.lost += 1;
      end();
    });
  }

  /** @returns whether the answer to this message is lost */
  #takeAwaited(awaited: AwaitedMessage): boolean {
    awaited.left -= 1;
    if (awaited.left > 0) return false;
    this.#awaited = null;
    return true;
  }
}
