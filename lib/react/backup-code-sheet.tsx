// The sheet on which a person sees new backup codes, once: copies, downloads or prints them, says so, and goes on. It keeps no code in storage,
// URL, title or attribute, brings no style to the screen, and sends nothing anywhere.
import { useEffect, useId, useRef, useState, type ReactElement } from 'react';
import { ENGLISH } from './labels';
import { printStyles as defaultPrintStyles } from './print-styles';
import { checkProps, type BackupCodeSheetPart, type BackupCodeSheetProps } from './props';
import { addStyles, copy, download, print, report } from './save';
import { codesText, factsOf, fileText } from './texts';

/** What a person is told. A new number for each, so that the same said twice is read out twice. */
interface Notice {
  readonly text: string;
  readonly number: number;
}

const NOTHING: Notice = { text: '', number: 0 };
const after = ({ number }: Notice, text: string): Notice => ({ text, number: number + 1 });

/** @throws {BackupCodeError} `invalid_option`, where a prop is missing, unknown or none */
export function BackupCodeSheet(props: BackupCodeSheetProps): ReactElement {
  checkProps(props);
  // Other codes are another sheet: what was said of the last ones is not said of these.
  return <Sheet key={codesText(props)} {...props} />;
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
  const labels = { ...ENGLISH, ...withoutUndefined(props.labels) };
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  const [status, setStatus] = useState(NOTHING);
  const [error, setError] = useState(NOTHING);
  const isAcknowledged = useRef(false);
  useEffect(() => addStyles(printStyles), [printStyles]);

  const part = (
    name: BackupCodeSheetPart,
  ): { 'data-backup-codes': string; className?: string } => ({
    'data-backup-codes': name,
    ...(classNames[name] !== undefined && { className: classNames[name] }),
  });
  const say = (text: string): void => setStatus((last) => after(last, text));

  async function copyAll(): Promise<void> {
    say((await copy(codesText(props))) ? labels.copied : labels.copyFailed);
  }

  function save(): void {
    download(fileText(props, labels), fileName);
    say(labels.downloaded);
  }

  async function goOn(): Promise<void> {
    if (isAcknowledged.current) return;
    if (box.current?.checked !== true) {
      setError((last) => after(last, labels.acknowledgeFirst));
      box.current?.focus();
      return;
    }
    isAcknowledged.current = true;
    setError(NOTHING);
    try {
      await onAcknowledge();
    } catch (thrown) {
      isAcknowledged.current = false;
      setError((last) => after(last, labels.goOnFailed));
      report(thrown);
    }
  }

  const Heading = `h${headingLevel}` as const;
  const [headingId, errorId] = [`${id}heading`, `${id}error`];
  const isMissing = error.text === labels.acknowledgeFirst;
  return (
    <section {...part('sheet')} aria-labelledby={headingId}>
      <Heading {...part('heading')} id={headingId}>
        {labels.heading}
      </Heading>
      <p {...part('introduction')}>{labels.introduction}</p>
      <dl {...part('facts')}>
        {factsOf(props, labels).map(({ name, label, value, dateTime }) => (
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
        <button {...part('button')} type="button" onClick={() => void copyAll()}>
          {labels.copy}
        </button>{' '}
        <button {...part('button')} type="button" onClick={save}>
          {labels.download}
        </button>{' '}
        <button {...part('button')} type="button" onClick={print}>
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
            ref={box}
            type="checkbox"
            onChange={() => setError(NOTHING)}
            aria-invalid={isMissing}
            aria-describedby={isMissing ? errorId : undefined}
          />{' '}
          {labels.acknowledge}
        </label>
        <p {...part('error')} id={errorId} role="alert">
          <span key={error.number}>{error.text}</span>
        </p>
        {/* Not a form: sent before this script has run, it would load the page anew, and the codes would be gone. */}
        <button {...part('go-on')} type="button" onClick={() => void goOn()}>
          {labels.goOn}
        </button>
      </div>
    </section>
  );
}

/** A label that was left out by giving `undefined` is the English one. */
function withoutUndefined<T extends object>(given: T = {} as T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
