/** The window now, and a menu of the house's and the reader's own; the present one can be kept under a name. */
import { useEffect, useRef, useState } from "preact/hooks";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { dropWindow, ownWindows, presentWindow, saveWindow, windows } from "../windows";

export function WindowMenu({ desk }: { desk: Desk }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const { width, level } = state.voi.value;
  useEffect(() => {
    if (!open) return;
    const away = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !box.current!.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", away, true);
    addEventListener("keydown", away);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("keydown", away);
    };
  }, [open]);
  return (
    <div class="window-menu" ref={box}>
      <button class="window-now" aria-expanded={open} title={`Window: next (${shownKeys("presets")}), or choose`} onClick={() => setOpen(!open)}>
        W {width} L {level} <span class="dim">{presentWindow.value?.name ?? "by hand"}</span>
      </button>
      {open && <WindowList desk={desk} close={() => setOpen(false)} />}
    </div>
  );
}

function WindowList({ desk, close }: { desk: Desk; close(): void }) {
  const [wrong, setWrong] = useState("");
  const name = useRef<HTMLInputElement>(null);
  const keep = (event: Event): void => {
    event.preventDefault();
    const sentence = saveWindow(name.current!.value);
    setWrong(sentence ?? "");
    if (!sentence) close();
  };
  return (
    <ul class="window-list" aria-label="Windows">
      {windows.value.map((preset) => (
        <li key={preset.name}>
          <button
            class="window-take"
            aria-pressed={presentWindow.value === preset}
            onClick={() => {
              desk.setWindow(preset.width, preset.level);
              close();
            }}
          >
            {preset.name}
            <span class="num">
              W {preset.width} L {preset.level}
            </span>
          </button>
          {ownWindows.value.includes(preset) && (
            <button class="window-drop" aria-label={`Forget ${preset.name}`} title={`Forget ${preset.name}`} onClick={() => dropWindow(preset.name)}>
              ×
            </button>
          )}
        </li>
      ))}
      <li>
        <form class="window-save" onSubmit={keep}>
          <input ref={name} maxLength={24} placeholder="Keep this window as" aria-label="Name for the present window" onKeyDown={(event) => event.key === "Escape" && close()} />
          <button class="compact" type="submit">
            Keep
          </button>
        </form>
      </li>
      {wrong && (
        <li class="window-wrong" role="alert">
          {wrong}
        </li>
      )}
    </ul>
  );
}
