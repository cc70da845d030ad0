/** A panel whose code comes when it is first shown. */
import type { ComponentType, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import * as state from "../state";

export type Later<P> = () => Promise<ComponentType<P>>;

export function lazy<P>(load: () => Promise<{ default: ComponentType<P> }>): Later<P> {
  let loaded: Promise<ComponentType<P>> | null = null;
  return () => (loaded ??= load().then((module) => module.default, (error: unknown) => {
    // The next time it is asked for, it is tried again.
    loaded = null;
    throw error;
  }));
}

export function Arriving<P extends object>({ of, props, fallback }: { of: Later<P>; props: P; fallback: VNode }) {
  const [Panel, show] = useState<ComponentType<P> | null>(null);
  useEffect(() => {
    of().then(
      (panel) => show(() => panel),
      () => (state.notice.value = "This part of the viewer did not load. Is the network there?"),
    );
  }, []);
  return Panel ? <Panel {...props} /> : fallback;
}
