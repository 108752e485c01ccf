// Runs in the browser. It hydrates the page that the server rendered, or renders it if the server
// rendered nothing.
import { createRoot, hydrateRoot } from 'react-dom/client';
import { Page, type PageProps } from './page';

const props = (await (await fetch(`/props${location.search}`)).json()) as PageProps;
const root = document.getElementById('root') ?? document.body;

async function activate(): Promise<void> {
  const { ok } = await fetch(`/activate${location.search}`, { method: 'POST' });
  if (!ok) throw new Error('the set could not be activated');
}

const page = <Page props={props} activate={activate} />;
if (root.firstChild === null) createRoot(root).render(page);
else hydrateRoot(root, page);
// Shows the tests that the effects have run.
requestAnimationFrame(() => setTimeout(() => root.setAttribute('data-ready', ''), 0));
