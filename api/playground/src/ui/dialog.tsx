/** A dialog: the browser's own, which keeps the focus in and gives it back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { text } from '../state/session.ts';

interface Properties {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: Properties) {
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const one = dialog.current;
    if (!one) return undefined;
    if (!one.open) one.showModal();
    return () => one.close();
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby={name} onClose={onClose}>
      <div class="dialog-head">
        <h2 id={name}>{title}</h2>
        <button type="button" class="quiet" onClick={onClose}>
          {text('close')}
        </button>
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
