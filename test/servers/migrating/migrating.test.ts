// docs/migrating.md, on data that other packages made. One file, since the packages of the host are
// installed once.
import { recipesOf } from '../../helpers/recipes';
import { filesOf, install } from '../frameworks/host';
import { hashedOnes } from './hashed';
import { readable } from './readable';

beforeAll(() => install('migrations'), 300_000);

it('every block of the page is run here', () => {
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

describe('codes that can be read', readable);
describe('codes that are hashed', hashedOnes);
