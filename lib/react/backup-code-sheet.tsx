// The sheet on which a user sees new backup codes, once. The user copies, downloads or prints them,
// confirms this, and continues. The sheet puts no code into storage, a URL, the title or an
// attribute. It styles nothing on the screen and sends nothing over the network.
import { useEffect, useId, useReducer, useRef, useState, type ReactElement } from 'react';
import { addStyleSheet, copyText, downloadText, printPage, reportUncaught } from './browser';
import { checkProps } from './check-props';
import { ENGLISH_LABELS } from './labels';
import { useHasLeftPage, useLeaveWarning } from './page-exit';
import { printStyles as defaultPrintStyles } from './print-styles';
import type { BackupCodeSheetPart, BackupCodeSheetProps } from './props';
import { formatCodes, formatFile, formatFileName, listDetails } from './set-text';

/**
 * A message for the user. The number is the React key, so that a message that repeats is a new
 * element and screen readers read it again.
 */
interface Notice {
  readonly text: string;
  readonly number: number;
}

interface PartAttributes {
  readonly 'data-backup-codes': string;
  readonly className: string | undefined;
}

const NO_NOTICE: Notice = { text: '', number: 0 };

function nextNotice({ number }: Notice, text: string): Notice {
  return { text, number: number + 1 };
}

/**
 * Shows new backup codes, with buttons to copy, download and print them, and a checkbox to tick
 * before the user continues. Works with React 18 and 19, on a server and in a browser.
 *
 * @throws {BackupCodeError} `invalid_option`: a prop is missing, unknown or out of its range.
 * Thrown at the first rendering, and never with a code in the message.
 * @example
 * ```tsx
 * import { BackupCodeSheet } from 'passport-backup-code/react';
 *
 * // `set` is the response to POST /stage. `activate` sends POST /activate with its `setId`.
 * <BackupCodeSheet {...set} service="Example Shop" onAcknowledge={activate} />;
 * ```
 */
export function BackupCodeSheet(props: BackupCodeSheetProps): ReactElement {
  checkProps(props);
  // The key makes a new sheet for new codes, so that no message about the old ones stays.
  return <Sheet key={formatCodes(props)} {...props} />;
}

function Sheet(props: BackupCodeSheetProps): ReactElement {
  const {
    codes,
    onAcknowledge,
    onStartOver,
    hideCodes = false,
    warnBeforeLeaving = true,
    fileName = formatFileName(props),
    headingLevel = 2,
    classNames = {},
    printStyles = defaultPrintStyles,
  } = props;
  const labels = { ...ENGLISH_LABELS, ...withoutUndefined(props.labels) };
  const id = useId();
  const checkbox = useRef<HTMLInputElement>(null);
  const [status, showStatus] = useReducer(nextNotice, NO_NOTICE);
  const [error, showError] = useReducer(nextNotice, NO_NOTICE);
  const [areCodesShown, showCodes] = useState(!hideCodes);
  const [canActivate, setCanActivate] = useState(true);
  const hasLeftPage = useHasLeftPage();
  const isAcknowledged = useRef(false);
  const isStartingOver = useRef(false);
  useEffect(() => addStyleSheet(printStyles), [printStyles]);

  /** Why the sheet no longer has the codes, as a message for the user. */
  const notice = !canActivate ? labels.notActivated : hasLeftPage ? labels.leftPage : undefined;
  useLeaveWarning(warnBeforeLeaving && notice === undefined, isAcknowledged);

  const part = (name: BackupCodeSheetPart): PartAttributes => ({
    'data-backup-codes': name,
    className: classNames[name],
  });
  const button = (
    label: string,
    onClick: () => unknown,
    name: BackupCodeSheetPart = 'button',
  ): ReactElement => (
    <button {...part(name)} type="button" onClick={() => void onClick()}>
      {label}
    </button>
  );

  async function copy(): Promise<void> {
    showStatus((await copyText(formatCodes(props))) ? labels.copied : labels.copyFailed);
  }

  function download(): void {
    downloadText(formatFile(props, labels), fileName);
    showStatus(labels.downloaded);
  }

  function print(): void {
    showCodes(true);
    // The codes are on the page when this click has been handled.
    setTimeout(printPage);
  }

  function reportFailure(thrown: unknown): void {
    showError(labels.continueFailed);
    reportUncaught(thrown);
  }

  async function acknowledge(): Promise<void> {
    // A double click must not call `onAcknowledge` twice. State would be too late for this.
    if (isAcknowledged.current) return;
    if (checkbox.current?.checked !== true) {
      showError(labels.acknowledgeFirst);
      checkbox.current?.focus();
      return;
    }
    isAcknowledged.current = true;
    showError('');
    try {
      setCanActivate((await onAcknowledge()) !== false);
    } catch (thrown) {
      isAcknowledged.current = false;
      reportFailure(thrown);
    }
  }

  async function startOver(): Promise<void> {
    // A second set would replace the first one, and the user may save the codes of the first.
    if (isStartingOver.current) return;
    isStartingOver.current = true;
    showError('');
    try {
      await onStartOver?.();
    } catch (thrown) {
      reportFailure(thrown);
    } finally {
      isStartingOver.current = false;
    }
  }

  const Heading = `h${headingLevel}` as const;
  const headingId = `${id}heading`;
  const errorId = `${id}error`;
  const isUnticked = error.text === labels.acknowledgeFirst;
  return (
    <section {...part('sheet')} aria-labelledby={headingId}>
      <Heading {...part('heading')} id={headingId}>
        {labels.heading}
      </Heading>
      <p {...part('introduction')}>{labels.introduction}</p>
      <dl {...part('details')}>
        {listDetails(props, labels).map(({ name, label, value, dateTime }) => (
          <div key={name}>
            <dt>{label}</dt>
            <dd>
              {/* A page from right to left would draw "23:30 UTC" as "UTC 23:30". */}
              <bdi>{dateTime === undefined ? value : <time dateTime={dateTime}>{value}</time>}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      {notice !== undefined ? (
        <>
          <p {...part('notice')} ref={focus} tabIndex={-1}>
            {notice}
          </p>
          {onStartOver && <div {...part('actions')}>{button(labels.startOver, startOver)}</div>}
        </>
      ) : (
        <>
          {hideCodes && (
            <div {...part('actions')}>
              {button(areCodesShown ? labels.hide : labels.show, () => showCodes(!areCodesShown))}
            </div>
          )}
          {areCodesShown && (
            <ol {...part('list')} aria-labelledby={headingId}>
              {codes.map((code) => (
                <li key={code}>
                  {/* A page from right to left would draw "4821 0937" as "0937 4821". */}
                  <code {...part('code')} dir="ltr" translate="no">
                    {code}
                  </code>
                </li>
              ))}
            </ol>
          )}
          <div {...part('actions')}>
            {button(labels.copy, copy)} {button(labels.download, download)}{' '}
            {button(labels.print, print)}
          </div>
        </>
      )}
      <p {...part('status')} role="status">
        <span key={status.number}>{status.text}</span>
      </p>
      <div {...part('acknowledgement')}>
        {canActivate && (
          <label {...part('label')}>
            <input
              {...part('checkbox')}
              ref={checkbox}
              type="checkbox"
              onChange={() => showError('')}
              aria-invalid={isUnticked}
              aria-describedby={isUnticked ? errorId : undefined}
            />{' '}
            {labels.acknowledge}
          </label>
        )}
        <p {...part('error')} id={errorId} role="alert">
          <span key={error.number}>{error.text}</span>
        </p>
        {/* Not a form: if sent before this script runs, it would reload the page. */}
        {canActivate && button(labels.continue, acknowledge, 'continue')}
      </div>
    </section>
  );
}

/** A ref. Keyboards and screen readers continue at the notice when it appears. */
function focus(element: HTMLElement | null): void {
  element?.focus();
}

/** An app can leave a label out by giving `undefined`. It then stays English. */
function withoutUndefined<T extends object>(given: T = {} as T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
