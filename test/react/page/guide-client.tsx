// Runs in the browser. It renders the component that docs/react.md shows, in StrictMode.
// `guide` is that code block: see bundle.mjs.
import { StrictMode, useState, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { NewCodes } from 'guide';

function App(): ReactElement {
  const [isDone, setDone] = useState(false);
  return isDone ? (
    <p id="done">Saved</p>
  ) : (
    <NewCodes user={{ email: 'ada@example.com' }} onDone={() => setDone(true)} />
  );
}

const root = document.getElementById('root') ?? document.body;
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
requestAnimationFrame(() => setTimeout(() => root.setAttribute('data-ready', ''), 0));
