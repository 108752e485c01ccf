// The page of an app that shows new codes.
import { StrictMode, useState, type ReactElement } from 'react';
import { BackupCodeSheet, type BackupCodeSheetProps } from '../../../lib/react';

export type PageProps = Omit<BackupCodeSheetProps, 'onAcknowledge'>;

export function Page({
  props,
  activate,
}: {
  readonly props: PageProps;
  readonly activate: () => Promise<void>;
}): ReactElement {
  const [isDone, setDone] = useState(false);
  return (
    <StrictMode>
      {isDone ? (
        <p id="done">Saved</p>
      ) : (
        <BackupCodeSheet
          {...props}
          onAcknowledge={async () => {
            await activate();
            setDone(true);
          }}
        />
      )}
    </StrictMode>
  );
}
