// The page of an app that shows new codes.
import { StrictMode, useState, type ReactElement } from 'react';
import { BackupCodeSheet, type BackupCodeSheetProps } from '../../../lib/react';

export type PageProps = Omit<BackupCodeSheetProps, 'onAcknowledge' | 'onStartOver'> & {
  /** Whether the app makes new codes when the sheet asks for them. */
  readonly canStartOver?: boolean;
};
type NewSet = Pick<BackupCodeSheetProps, 'codes' | 'createdAt' | 'expiresAt'>;

export function Page({
  props: { canStartOver = false, ...props },
  activate,
  stage,
}: {
  readonly props: PageProps;
  /** Returns `false` if the set can no longer be activated. */
  readonly activate: () => Promise<unknown>;
  readonly stage: () => Promise<NewSet>;
}): ReactElement {
  const [isDone, setDone] = useState(false);
  const [set, setSet] = useState<NewSet>(props);
  return (
    <StrictMode>
      {isDone ? (
        <p id="done">Saved</p>
      ) : (
        <BackupCodeSheet
          {...props}
          {...set}
          onAcknowledge={async () => {
            if ((await activate()) === false) return false;
            setDone(true);
            return true;
          }}
          onStartOver={canStartOver ? async () => setSet(await stage()) : undefined}
        />
      )}
    </StrictMode>
  );
}
