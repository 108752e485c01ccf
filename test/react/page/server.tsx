// Runs on the server. Prints the version of React and the HTML of the page.
import { version } from 'react';
import { renderToString } from 'react-dom/server';
import { Page, type PageProps } from './page';

const props = JSON.parse(process.argv[2] ?? '') as PageProps;
const unused = (): Promise<never> => Promise.reject(new Error('not on the server'));
process.stdout.write(
  JSON.stringify({
    version,
    html: renderToString(<Page props={props} activate={unused} stage={unused} />),
  }),
);
