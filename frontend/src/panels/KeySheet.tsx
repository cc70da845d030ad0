/** The sheet of keys: grouped, searchable, and each key may be given to another hand. */
import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { give, judge, mayRemap, restore } from "../keymap";
import { KEYS, keyName, keysOf, remapped, shownKey, type KeyAction, type KeyBinding } from "../keyboard";
import { close, Sheet } from "./Sheet";
import "./keys.css";

const GROUPS = ["Look", "Paint", "Regions", "Decide", "Go through", "Session"] as const;

/** An action that waits for its new key, and what stands against the key that was pressed. */
interface Waiting {
  action: KeyAction;
  key: string | null;
  sentence: string;
  /** Pressed, taken, and may change hands. */
  ask: boolean;
}

export function KeySheet() {
  const query = useSignal("");
  const waiting = useSignal<Waiting | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const found = useComputed(() => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    return KEYS.filter((binding) => {
      const text = `${binding.does} ${binding.group} ${shownOf(binding)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  });

  const press = (event: KeyboardEvent): void => {
    const now = waiting.value;
    if (!now || now.ask) return;
    if (event.key === "Tab") return void (waiting.value = null);
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return void (waiting.value = null);
    if (/^(Control|Shift|Alt|Meta|AltGraph)$/.test(event.key)) return;
    const key = keyName(event);
    const verdict = judge(remapped.value, now.action, key);
    if (verdict.kind === "same") waiting.value = null;
    else if (verdict.kind === "free") {
      remapped.value = give(remapped.value, now.action, key);
      waiting.value = null;
    } else waiting.value = { ...now, key, sentence: verdict.sentence, ask: verdict.kind === "taken" };
  };
  const settle = (yes: boolean): void => {
    const now = waiting.value;
    if (yes && now?.key) remapped.value = give(remapped.value, now.action, now.key);
    waiting.value = null;
    search.current?.focus();
  };

  const changed = Object.keys(remapped.value).length;
  return (
    <Sheet title="Keys" wide>
      <div class="key-head">
        <input
          ref={search}
          type="text"
          role="searchbox"
          autofocus
          aria-label="Find an action or a key"
          placeholder="Find an action or a key"
          value={query.value}
          onInput={(event) => (query.value = event.currentTarget.value)}
        />
        <span class="dim num">{found.value.length === KEYS.length ? "Click a key to change it" : `${found.value.length} of ${KEYS.length}`}</span>
        <button disabled={!changed} onClick={() => (remapped.value = {})}>
          Reset all
        </button>
      </div>
      <div class="key-groups" onKeyDownCapture={press}>
        {GROUPS.map((group) => {
          const rows = found.value.filter((binding) => binding.group === group);
          return (
            !!rows.length && (
              <section key={group} aria-label={group}>
                <h2>{group}</h2>
                <ul>
                  {rows.map((binding) => (
                    <Row
                      key={binding.action}
                      binding={binding}
                      waiting={waiting.value?.action === binding.action ? waiting.value : null}
                      wait={() => (waiting.value = { action: binding.action, key: null, sentence: "", ask: false })}
                      settle={settle}
                    />
                  ))}
                </ul>
              </section>
            )
          );
        })}
        {!found.value.length && <p class="dim">No action and no key is called that.</p>}
      </div>
      <p class="sheet-actions">
        <span class="dim spacer">Your keys follow you to every machine.</span>
        <button class="go" onClick={close}>
          Close
        </button>
      </p>
    </Sheet>
  );
}

const shownOf = (binding: KeyBinding): string =>
  binding.shown && !remapped.value[binding.action] ? binding.shown : keysOf(binding).map(shownKey).join(", ") || "no key";

function Row({ binding, waiting, wait, settle }: { binding: KeyBinding; waiting: Waiting | null; wait(): void; settle(yes: boolean): void }) {
  const own = !!remapped.value[binding.action];
  const name = shownOf(binding);
  return (
    <li class={waiting ? "waiting" : ""}>
      {mayRemap(binding) ? (
        <button class={own ? "key own" : "key"} title={`${name}: click to change`} aria-label={waiting ? `${binding.does}: press a key` : `${binding.does}: ${name}. Change this key`} onClick={wait}>
          <kbd>{waiting ? "press a key" : (name.split(", ")[0])}</kbd>
        </button>
      ) : (
        <span class="key fixed">
          <kbd>{name}</kbd>
        </span>
      )}
      <span>{binding.does}</span>
      {own && (
        <button class="compact" onClick={() => (remapped.value = restore(remapped.value, binding.action))}>
          Reset
        </button>
      )}
      {waiting?.sentence && (
        <p role="alert">
          {waiting.sentence}
          {waiting.ask && (
            <>
              <button class="compact go" autofocus ref={(element) => element?.focus()} onClick={() => settle(true)}>
                Change hands
              </button>
              <button class="compact" onClick={() => settle(false)}>
                Leave it
              </button>
            </>
          )}
        </p>
      )}
    </li>
  );
}
