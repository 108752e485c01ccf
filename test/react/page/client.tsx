// Runs in the browser. It hydrates the page that the server rendered, or renders it if the server
// rendered nothing.
import { createRoot, hydrateRoot } from 'react-dom/client';
import { Page, type PageProps } from './page';

const props = (await (await fetch(`/props${location.search}`)).json()) as PageProps;
const root = document.getElementById('root') ?? document.body;

/** @returns `false` if the set can no longer be activated */
async function activate(): Promise<boolean> {
  const { ok, status } = await fetch(`/activate${location.search}`, { method: 'POST' });
  if (status === 409) return false;
  if (!ok) throw new Error('the set could not be activated');
  return true;
}

async function stage(): Promise<PageProps> {
  const response = await fetch(`/stage${location.search}`, { method: 'POST' });
  if (!response.ok) throw new Error('the set could not be staged');
  return (await response.json()) as PageProps;
}

const page = <Page props={props} activate={activate} stage={stage} />;
if (root.firstChild === null) createRoot(root).render(page);
else hydrateRoot(root, page);
// Shows the tests that the effects have run.
requestAnimationFrame(() => setTimeout(() => root.setAttribute('data-ready', ''), 0));
