/** Comments: write one at a voxel or about the case, answer, resolve; a click goes to the voxel on all planes. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CaseComment, CommentThread } from "../api/types";
import { shownKeys } from "../keyboard";
import { addThread, answer, choose, chosenThread, comments, commentsTrouble, composing, edit, listed, openCount, pinsShown, setResolved, withdraw, type Numbered } from "../reading/comments";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { clock } from "./App";
import { Flags } from "./Flags";
import { WriteComment } from "./WriteComment";
import "./comments.css";

export function Comments({ desk }: { desk: Desk }) {
  const said = comments.value;
  return (
    <section class="comments" aria-label="Comments">
      <div class="side-heading">
        <h2>
          Comments <span class="num dim">{said ? `${openCount.value} open` : "…"}</span>
        </h2>
        <button class="compact" aria-pressed={pinsShown.value} title="Show the pins on the planes; they go with the masks while H is held" onClick={() => (pinsShown.value = !pinsShown.value)}>
          Pins
        </button>
      </div>
      {commentsTrouble.value && <p class="message is-bad">{commentsTrouble.value}</p>}
      <Compose desk={desk} />
      {said && !said.threads.length && !composing.value && !state.reading.value?.settles?.comments?.length && (
        <p class="dim">No comment on this case yet. {said.may_comment ? `${shownKeys("comment")} writes one where the pointer is.` : ""}</p>
      )}
      <Threads desk={desk} />
      <Nameless desk={desk} />
      {said?.comment_refusal && <p class="dim">{said.comment_refusal}</p>}
      <Flags desk={desk} />
    </section>
  );
}

function Compose({ desk }: { desk: Desk }) {
  const at = composing.value;
  if (!comments.value?.may_comment) return null;
  if (!at) {
    const here = (): void => {
      const { axial, coronal, sagittal } = state.slices.value;
      composing.value = { voxel: [sagittal, coronal, axial], spot: [sagittal, coronal, axial] };
    };
    return (
      <button class="compact comment-new" onClick={here}>
        New comment <kbd>{shownKeys("comment")}</kbd>
      </button>
    );
  }
  return (
    <div class="comment-compose">
      <div class="segmented" role="group" aria-label="What the comment is about">
        <button class="compact" aria-pressed={at.voxel !== null} onClick={() => (composing.value = { ...at, voxel: at.spot })}>
          Voxel on slice {at.spot[2] + 1}
        </button>
        <button class="compact" aria-pressed={at.voxel === null} onClick={() => (composing.value = { ...at, voxel: null })}>
          Whole case
        </button>
      </div>
      <WriteComment key={at.spot.join()} label="Comment" draft={`new.${desk.session.id}`} send={(text) => addThread(desk, text, composing.value?.voxel ?? null)} done={() => (composing.value = null)} />
    </div>
  );
}

/** What was said in the readings in dispute, by letters: only to be read. A click goes to the voxel. */
function Nameless({ desk }: { desk: Desk }) {
  const threads = state.reading.value?.settles?.comments ?? [];
  if (!threads.length) return null;
  return (
    <section class="nameless" aria-label="Said in the readings">
      <h2>
        Said in the readings <span class="num dim">{threads.length}</span>
      </h2>
      <ol class="threads">
        {threads.map(({ id, letter, voxel, resolved, comments: said }) => (
          <li key={id} class={resolved ? "resolved" : ""}>
            <p class="nameless-head">
              <b data-letter={letter}>{letter}</b>
              {resolved && <span class="dim">resolved</span>}
              {voxel ? (
                <button class="compact num" onClick={() => desk.centreOn(voxel)}>
                  Slice {voxel[2] + 1}
                </button>
              ) : (
                <span class="dim">whole case</span>
              )}
            </p>
            {said.map(({ by, text }, n) => (
              <p class="comment-text" key={n}>
                {by !== letter && <span class="dim">{by.length === 1 ? `Reading ${by}` : by}: </span>}
                {text}
              </p>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Threads({ desk }: { desk: Desk }) {
  const rows = listed.value;
  const current = Math.max(0, rows.findIndex(({ thread }) => thread.id === chosenThread.value));
  const move = (event: KeyboardEvent, index: number): void => {
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    (event.currentTarget as HTMLElement).closest("ol")?.querySelectorAll<HTMLElement>(".comment-go")[to]?.focus();
  };
  return (
    <ol class="threads">
      {rows.map((row, index) => (
        <li key={row.thread.id} class={`${row.thread.resolved ? "resolved" : ""} ${row.thread.id === chosenThread.value ? "current" : ""}`}>
          <Head row={row} focusable={index === current} desk={desk} move={(event) => move(event, index)} />
          {row.thread.id === chosenThread.value && <Open desk={desk} thread={row.thread} />}
        </li>
      ))}
    </ol>
  );
}

function Head({ row: { thread, number }, focusable, desk, move }: { row: Numbered; focusable: boolean; desk: Desk; move: (event: KeyboardEvent) => void }) {
  const open = thread.id === chosenThread.value;
  const first = thread.comments[0];
  const place = thread.voxel ? `slice ${thread.voxel[2] + 1}` : "whole case";
  const more = thread.comments.length - 1;
  return (
    <button class="comment-go" aria-expanded={open} tabIndex={focusable ? 0 : -1} onKeyDown={move} onClick={() => (open ? (chosenThread.value = null) : choose(desk, thread))}>
      <span class="comment-number num">{number}</span>
      <span class="ellipsis">{open ? place : (first?.text ?? "withdrawn")}</span>
      <span class="dim num comment-where">{open ? "" : place}</span>
      <span class="dim ellipsis comment-whose">
        {!open && first?.author}
        {!open && more > 0 && `, ${more} more`}
        {!thread.whose.mine && `${open ? "" : ", "}in ${thread.whose.reader}’s ${thread.whose.stage}`}
        {!open && thread.resolved && ", resolved"}
      </span>
    </button>
  );
}

function Open({ desk, thread }: { desk: Desk; thread: CommentThread }) {
  const trouble = useSignal<string | null>(null);
  const may = comments.value?.may_comment;
  return (
    <div class="thread-open">
      {thread.comments.map((comment) => (
        <One key={comment.id} desk={desk} thread={thread} comment={comment} />
      ))}
      {thread.resolved && (
        <p class="dim">
          Resolved by {thread.resolved_by}, {day(thread.resolved_at)}.
        </p>
      )}
      {may && <WriteComment label="Answer" draft={`answer.${thread.id}`} send={(text) => answer(desk, thread, text)} />}
      {may && (
        <button class="compact" onClick={() => void setResolved(desk, thread, !thread.resolved).then((why) => (trouble.value = why))}>
          {thread.resolved ? "Open again" : "Resolve"}
        </button>
      )}
      {trouble.value && <p class="message is-bad">{trouble.value}</p>}
    </div>
  );
}

function One({ desk, thread, comment }: { desk: Desk; thread: CommentThread; comment: CaseComment }) {
  const editing = useSignal(false);
  const sure = useSignal(false);
  const trouble = useSignal<string | null>(null);
  const go = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (sure.value) go.current?.focus();
  }, [sure.value]);
  return (
    <article class="comment">
      <p class="comment-by dim">
        <b>{comment.author}</b> {day(comment.said_at)}
        {comment.edited_at && !comment.withdrawn && (
          <span title={comment.earlier.map((text) => `Before: ${text}`).join("\n")}>, edited {day(comment.edited_at)}</span>
        )}
      </p>
      {comment.withdrawn ? (
        <p class="dim">Withdrawn by {comment.author}, {day(comment.edited_at)}.</p>
      ) : editing.value ? (
        <WriteComment label="New text" initial={comment.text ?? ""} draft={`edit.${comment.id}`} send={(text) => edit(desk, thread, comment.id, text)} done={() => (editing.value = false)} />
      ) : (
        <p class="comment-text">{comment.text}</p>
      )}
      {comment.earlier.length > 0 && !comment.withdrawn && (
        <details class="dim">
          <summary>Earlier {comment.earlier.length === 1 ? "text" : "texts"}</summary>
          {comment.earlier.map((text, n) => (
            <p class="comment-text" key={n}>
              {text}
            </p>
          ))}
        </details>
      )}
      {comment.mine && !comment.withdrawn && !editing.value && comments.value?.may_comment && (
        <p class="comment-acts">
          <button class="compact" onClick={() => (editing.value = true)}>
            Edit
          </button>
          {sure.value ? (
            <button class="compact" ref={go} onBlur={() => (sure.value = false)} onClick={() => void withdraw(desk, thread, comment.id).then((why) => (trouble.value = why))}>
              Withdraw for good
            </button>
          ) : (
            <button class="compact" onClick={() => (sure.value = true)}>
              Withdraw
            </button>
          )}
        </p>
      )}
      {trouble.value && <p class="message is-bad">{trouble.value}</p>}
    </article>
  );
}

/** The clock today, the day before that. */
function day(iso: string | null): string {
  if (!iso) return "";
  return new Date(iso).toDateString() === new Date().toDateString() ? clock(iso) : iso.slice(0, 10);
}
