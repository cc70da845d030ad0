/** The right panel: tabs, what is laid over the picture, the open tab, and the numbers, always in their place. */
import type { ComponentType } from "preact";
import { useRef } from "preact/hooks";
import { shownKeys, type KeyAction } from "../keyboard";
import type { Desk } from "../reading/desk";
import { Comments } from "./Comments";
import { Difference } from "./Difference";
import { Forms } from "./Forms";
import { Guideline } from "./Guideline";
import { History } from "./History";
import { Labels } from "./Labels";
import { Lesions } from "./Lesions";
import { Numbers } from "./Numbers";
import { Provenance } from "./Provenance";
import { Settle } from "./Settle";
import { Timeline } from "./Timeline";
import * as display from "../display";
import * as state from "../state";
import { openCount } from "../reading/comments";
import { forms } from "../reading/forms";
import "./side.css";


const SECTIONS: { name: state.SectionName; title: string; action: KeyAction | null; Section: ComponentType<{ desk: Desk }> }[] = [
  { name: "labels", title: "Labels", action: null, Section: Labels },
  { name: "lesions", title: "Lesions", action: "lesions", Section: Lesions },
  { name: "history", title: "History", action: "history", Section: History },
  { name: "guideline", title: "Guideline", action: "guideline", Section: Guideline },
  { name: "comments", title: "Comments", action: "comments", Section: Comments },
  { name: "scores", title: "Scores", action: "scores", Section: Forms },
];

export function SidePanel({ desk }: { desk: Desk }) {
  // Scores are asked for by the protocol, or there is nothing to show.
  const sections = SECTIONS.filter(({ name }) => name !== "scores" || forms.value.length > 0);
  const list = useRef<HTMLDivElement>(null);
  const open = sections.find((section) => section.name === state.section.value) ?? sections[0];
  const move = (event: KeyboardEvent): void => {
    const at = sections.indexOf(open);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: sections.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (to + sections.length) % sections.length;
    state.section.value = sections[next].name;
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  // Whoever settles scores or reads what was said has the room for it; what is laid over the picture keeps its heading.
  const roomy = !!state.reading.value?.settles && (open.name === "scores" || open.name === "comments");
  return (
    <div class={`side-body ${roomy ? "is-roomy" : ""}`}>
      <div class="side-tabs" role="tablist" aria-label="Panel" ref={list} onKeyDown={move}>
        {sections.map(({ name, title, action }) => (
          <button
            key={name}
            role="tab"
            id={`tab-${name}`}
            aria-controls={open.name === name ? `section-${name}` : undefined}
            aria-selected={open.name === name}
            tabIndex={open.name === name ? 0 : -1}
            title={action ? `${title} (${shownKeys(action)})` : title}
            onClick={() => (state.section.value = name)}
          >
            {title}
            {name === "comments" && openCount.value > 0 && <span class="tab-count num">{openCount.value}</span>}
          </button>
        ))}
      </div>
      <div class="side-section" role="tabpanel" id={`section-${open.name}`} aria-labelledby={`tab-${open.name}`} tabIndex={-1}>
        <open.Section desk={desk} />
      </div>
      <Settle desk={desk} />
      <Difference desk={desk} />
      <Provenance />
      <Timeline desk={desk} />
      <Numbers />
    </div>
  );
}

/** A past state is on the screen: said where the way of the mask stands, so that nothing moves. */
export function FilmNotice() {
  const shown = display.shown.value;
  if (shown.kind !== "film") return null;
  return (
    <span class="film-notice" role="status">
      <span class="ellipsis" title={shown.title}>
        The past, painting is off. {shown.title}
      </span>
      <button class="compact" onClick={() => (display.shown.value = { kind: "mask" })}>
        Back <kbd>Esc</kbd>
      </button>
    </span>
  );
}
