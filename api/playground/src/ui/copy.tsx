/** A button that copies, and says that it has. */
import { useEffect, useState } from 'preact/hooks';
import { announce, text } from '../state/session.ts';

export async function copy(content: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(content);
    return true;
  } catch {
    return false;
  }
}

interface Properties {
  readonly content: string | (() => string);
  readonly label: string;
  readonly kind?: string;
}

export function CopyButton({ content, label, kind = '' }: Properties) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return undefined;
    const timer = setTimeout(() => setState('idle'), 2_000);
    return () => clearTimeout(timer);
  }, [state]);
  const act = async (): Promise<void> => {
    const done = await copy(typeof content === 'string' ? content : content());
    setState(done ? 'copied' : 'failed');
    announce(text(done ? 'copied' : 'notCopied'));
  };
  return (
    <button type="button" class={kind} onClick={() => void act()}>
      {state === 'idle' ? label : text(state === 'copied' ? 'copied' : 'notCopied')}
    </button>
  );
}
