// docs/single-sign-on.md, behind both kinds of provider. One file, since the packages of one host
// are installed once.
import { install } from '../frameworks/host';
import { behindOpenIdConnect } from './oidc';
import { behindSaml } from './saml';

beforeAll(() => install('sso'), 300_000);

describe('OpenID Connect', behindOpenIdConnect);
describe('SAML', behindSaml);
