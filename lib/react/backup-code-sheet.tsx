// The sheet on which a user sees new backup codes, once. The user copies, downloads or prints them,
// confirms this, and continues. The sheet puts no code into storage, a URL, the title or an
// attribute. It styles nothing on the screen and sends nothing over the network.
import { useEffect, useId, useReducer, useRef, type ReactElement } from 'react';
import { addStyleSheet, copyText, downloadText, printPage, reportUncaught } from './browser';
import { checkProps } from './check-props';
import { ENGLISH_LABELS } from './labels';
import { printStyles as defaultPrintStyles } from './print-styles';
import type { BackupCodeSheetPart, BackupCodeSheetProps } from './props';
import { formatCodes, formatFile, listDetails } from './set-text';

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
    fileName = 'backup-codes.txt',
    headingLevel = 2,
    classNames = {},
    printStyles = defaultPrintStyles,
  } = props;
  const labels = { ...ENGLISH_LABELS, ...withoutUndefined(props.labels) };
  const id = useId();
  const checkbox = useRef<HTMLInputElement>(null);
  const [status, showStatus] = useReducer(nextNotice, NO_NOTICE);
  const [error, showError] = useReducer(nextNotice, NO_NOTICE);
  const isAcknowledged = useRef(false);
  useEffect(() => addStyleSheet(printStyles), [printStyles]);

  const part = (name: BackupCodeSheetPart): PartAttributes => ({
    'data-backup-codes': name,
    className: classNames[name],
  });

  async function copy(): Promise<void> {
    showStatus((await copyText(formatCodes(props))) ? labels.copied : labels.copyFailed);
  }

  function download(): void {
    downloadText(formatFile(props, labels), fileName);
    showStatus(labels.downloaded);
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
      await onAcknowledge();
    } catch (thrown) {
      isAcknowledged.current = false;
      showError(labels.continueFailed);
      reportUncaught(thrown);
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
            <dd>{dateTime === undefined ? value : <time dateTime={dateTime}>{value}</time>}</dd>
          </div>
        ))}
      </dl>
      <ol {...part('list')} aria-labelledby={headingId} translate="no">
        {codes.map((code) => (
          <li key={code}>
            <code {...part('code')}>{code}</code>
          </li>
        ))}
      </ol>
      <div {...part('actions')}>
        <button {...part('button')} type="button" onClick={() => void copy()}>
          {labels.copy}
        </button>{' '}
        <button {...part('button')} type="button" onClick={download}>
          {labels.download}
        </button>{' '}
        <button {...part('button')} type="button" onClick={printPage}>
          {labels.print}
        </button>
      </div>
      <p {...part('status')} role="status">
        <span key={status.number}>{status.text}</span>
      </p>
      <div {...part('acknowledgement')}>
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
        <p {...part('error')} id={errorId} role="alert">
          <span key={error.number}>{error.text}</span>
        </p>
        {/* Not a form: if sent before this script runs, it would reload the page. */}
        <button {...part('continue')} type="button" onClick={() => void acknowledge()}>
          {labels.continue}
        </button>
      </div>
    </section>
  );
}

/** An app can leave a label out by giving `undefined`. It then stays English. */
function withoutUndefined<T extends object>(given: T = {} as T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
