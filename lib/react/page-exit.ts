// What the sheet does when the user leaves the page: it warns before, and removes the codes after.
import { useCallback, useEffect, useRef, useSyncExternalStore, type RefObject } from 'react';
import { listen } from './browser';

/**
 * Whether the user has left the page since the sheet appeared. The browser may keep the page for
 * the Back button, with everything on it. A store, because React renders a change of it before the
 * event is over. It would render a change of state only when the page is shown again.
 */
export function useHasLeftPage(): boolean {
  const hasLeft = useRef(false);
  const subscribe = useCallback(
    (render: () => void) =>
      listen('pagehide', () => {
        hasLeft.current = true;
        render();
      }),
    [],
  );
  return useSyncExternalStore(subscribe, () => hasLeft.current, returnFalse);
}

function returnFalse(): boolean {
  return false;
}

/** Has the browser ask before the user leaves the page, as long as the codes are not saved. */
export function useLeaveWarning(isOn: boolean, isSaved: Readonly<RefObject<boolean>>): void {
  useEffect(() => {
    if (!isOn) return;
    return listen('beforeunload', (event) => {
      if (!isSaved.current) event.preventDefault();
    });
  }, [isOn, isSaved]);
}
