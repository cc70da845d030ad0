/** Where a comment is written: Ctrl+Enter sends, Escape leaves, @ offers the people who may see it. A draft outlasts a reload. */
import { useSignal } from "@preact/signals";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { comments } from "../reading/comments";
import { matching, mentionAt } from "../reading/mentions";

const LONGEST = 2000;

interface Writing {
  label: string;
  initial?: string;
  /** Its name in the tab's storage. */
  draft: string;
  /** The sentence of what went wrong, or null. */
  send: (text: string) => Promise<string | null>;
  done?: () => void;
}

export function WriteComment({ label, initial = "", draft, send, done }: Writing) {
  const key = `groundglass.comment.${draft}`;
  const text = useSignal(kept(key) ?? initial);
  const trouble = useSignal<string | null>(null);
  const busy = useSignal(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const mention = useSignal<{ from: number; word: string } | null>(null);
  const pointed = useSignal(0);
  const list = useId();
  const offered = mention.value ? matching(comments.value?.people ?? [], mention.value.word) : [];

  // With the first drawing: what is typed next belongs to the comment, not to the viewer's keys.
  useLayoutEffect(() => {
    if (!done) return;
    const before = document.activeElement as HTMLElement | null;
    area.current?.focus();
    return () => before?.isConnected && before.focus();
  }, []);

  const put = (value: string): void => {
    text.value = value;
    keep(key, value === initial ? "" : value);
  };
  const look = (): void => {
    const { value, selectionStart } = area.current!;
    mention.value = mentionAt(value, selectionStart);
    pointed.value = 0;
  };
  const take = (name: string): void => {
    const { from, word } = mention.value!;
    const after = text.value.slice(from + 1 + word.length);
    put(`${text.value.slice(0, from)}@${name}${after.startsWith(" ") ? "" : " "}${after}`);
    mention.value = null;
    const caret = from + name.length + 2;
    requestAnimationFrame(() => area.current?.setSelectionRange(caret, caret));
    area.current?.focus();
  };
  const leave = (): void => {
    keep(key, "");
    done?.();
  };
  const go = async (): Promise<void> => {
    if (busy.value || !text.value.trim()) return;
    busy.value = true;
    const why = await send(text.value);
    busy.value = false;
    trouble.value = why;
    if (why !== null) return;
    text.value = initial;
    leave();
  };
  const press = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (offered.length) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        return void (pointed.value = (pointed.value + step + offered.length) % offered.length);
      }
      if ((event.key === "Enter" && !event.ctrlKey) || event.key === "Tab") {
        event.preventDefault();
        return take(offered[pointed.value].name);
      }
      if (event.key === "Escape") return void (mention.value = null);
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void go();
    }
    if (event.key === "Escape") {
      if (done) leave();
      else area.current?.blur();
    }
  };

  return (
    <form
      class="comment-write"
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <textarea
        ref={area}
        rows={label === "Answer" && !text.value ? 1 : 3}
        maxLength={LONGEST}
        aria-label={label}
        placeholder={label}
        aria-controls={offered.length ? list : undefined}
        aria-activedescendant={offered.length ? `${list}-${pointed.value}` : undefined}
        aria-autocomplete="list"
        value={text.value}
        onInput={(event) => {
          put(event.currentTarget.value);
          look();
        }}
        onClick={look}
        onKeyDown={press}
        onBlur={() => (mention.value = null)}
      />
      {offered.length > 0 && (
        <ul class="comment-people" role="listbox" id={list} aria-label="People who may see this">
          {offered.map((person, n) => (
            <li key={person.username} id={`${list}-${n}`} role="option" aria-selected={n === pointed.value} onMouseDown={(event) => (event.preventDefault(), take(person.name))}>
              {person.name} <span class="dim">{person.username}</span>
            </li>
          ))}
        </ul>
      )}
      {trouble.value && (
        <p class="message is-bad" role="alert">
          {trouble.value}
        </p>
      )}
      {(done || text.value) && (
        <p class="comment-acts">
          <button class="compact" disabled={busy.value || !text.value.trim()}>
            {busy.value ? "Sending" : label === "New text" ? "Save" : "Send"} <kbd>Ctrl+Enter</kbd>
          </button>
          {done && (
            <button type="button" class="compact" onClick={leave}>
              Cancel <kbd>Esc</kbd>
            </button>
          )}
        </p>
      )}
    </form>
  );
}

function kept(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // Without storage a draft lives as long as the page.
  }
}
