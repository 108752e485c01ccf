// Runs docs/single-sign-on.md with both kinds of provider. One file, because the packages of the
// host are installed once.
import { install } from '../frameworks/host';
import { openIdConnectTests } from './oidc';
import { samlTests } from './saml';

beforeAll(() => install('sso'), 300_000);

describe('OpenID Connect', openIdConnectTests);
describe('SAML', samlTests);
