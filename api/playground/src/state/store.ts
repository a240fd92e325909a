/** A value that changes, and those who look at it. */
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';

export class Store<S extends object> {
  #state: S;
  readonly #watchers = new Set<() => void>();

  constructor(state: S) {
    this.#state = state;
  }

  get(): S {
    return this.#state;
  }

  /** Replaces some of it; whoever watches is told at once. */
  set(change: Partial<S>): void {
    this.#state = { ...this.#state, ...change };
    for (const watcher of [...this.#watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** A part of a store, in a component that is drawn anew when that part changes. */
export function useStore<S extends object, T>(store: Store<S>, part: (state: S) => T): T {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const value = part(store.get());
  const latest = useRef({ part, value });
  latest.current = { part, value };
  useLayoutEffect(() => {
    const check = (): void => {
      if (!Object.is(latest.current.part(store.get()), latest.current.value)) redraw(undefined as never);
    };
    check();
    return store.watch(check);
  }, [store]);
  return value;
}
