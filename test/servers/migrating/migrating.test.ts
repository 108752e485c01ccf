// Runs docs/migrating.md on data of other packages. One file, because the packages of the host are
// installed once.
import { recipesOf } from '../../helpers/recipes';
import { filesOf, install } from '../frameworks/host';
import { hashedCodesTests } from './hashed';
import { readableCodesTests } from './readable';

beforeAll(() => install('migrations'), 300_000);

it('Every block of docs/migrating.md runs in this file', () => {
  expect([...recipesOf('docs/migrating.md').keys()]).toEqual([
    'format',
    'allauth',
    'hashed',
    'end-old',
  ]);
  expect(Object.keys(filesOf('docs/migrating.md'))).toEqual([
    'adopt.config.js',
    'second-factor.js',
  ]);
});

describe('old codes that are readable', readableCodesTests);
describe('old codes that are hashed', hashedCodesTests);
