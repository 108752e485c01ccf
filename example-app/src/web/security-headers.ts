// Security headers: browsers refuse inline scripts and styles, content and form targets of other
// sites, and framing.
import helmet from 'helmet';
import type { Config } from '../config';

/**
 * Scripts and styles from this host only and never inline; images also as `data:` (the QR code);
 * forms to this host only.
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
    // After a step-up the user returns to the page whose form was interrupted. The Referer names
    // it.
    referrerPolicy: { policy: 'same-origin' },
  });
}
