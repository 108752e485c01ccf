// What browsers are told to refuse: scripts, styles and forms of elsewhere or in the page itself,
// being framed.
import helmet from 'helmet';
import type { Config } from '../config';

/**
 * Scripts and styles from here and none in a page, the QR code as a `data:` picture, forms to here
 * alone.
 */
export function securityHeaders({ isProduction }: Config): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
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
