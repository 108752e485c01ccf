// On the server: prints the version of React, and the page as HTML.
import { version } from 'react';
import { renderToString } from 'react-dom/server';
import { Page, type PageProps } from './page';

const props = JSON.parse(process.argv[2] ?? '') as PageProps;
process.stdout.write(
  JSON.stringify({
    version,
    html: renderToString(<Page props={props} activate={() => Promise.resolve()} />),
  }),
);
