// What browsers are told to refuse: any script, styles and forms of elsewhere, being framed.
import helmet from 'helmet';
import type { Config } from './config';

/** No script at all, styles from here, the QR code as a `data:` picture, forms to here alone. */
export function securityHeaders({ isProduction }: Config): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        upgradeInsecureRequests: isProduction ? [] : null,
      },
    },
    // A step-up leads back to the page whose form it interrupted, which it knows from the Referer.
    referrerPolicy: { policy: 'same-origin' },
  });
}
