/** Scans of the same patient in time: extent and weight of each, and the way to lay one beside. */
import type { TimelineEntry } from "../api/types";
import { signal } from "@preact/signals";
import { remember, yesOrNo } from "../preferences";
import { beside, closeBeside, layBeside } from "../reading/compare";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { fixed } from "./figures";
import { trendOf } from "./trend";
import "./timeline.css";

const opened = signal(false);
remember("panels.timeline", opened, { valid: yesOrNo });

const WIDTH = 118;
const HEIGHT = 48;

/** This scan's figures are those of the mask now. */
function withNow(entry: TimelineEntry): TimelineEntry {
  const now = state.numbers.value;
  if (entry.label !== "this" || !now) return entry;
  return { ...entry, extent_percent: now.extentPercent, weight_g: now.weightG };
}

export function Timeline({ desk }: { desk: Desk }) {
  const entries = (state.reading.value?.timeline ?? []).map(withNow);
  if (entries.length < 2) return null;
  return (
    <details class="timeline" open={opened.value} onToggle={(event) => (opened.value = event.currentTarget.open)}>
      <summary>
        Over time <span class="dim num">{entries.length} scans</span>
      </summary>
      <div class="trends">
        <Chart name="Extent, %" entries={entries} value={(entry) => entry.extent_percent} />
        <Chart name="Weight, g" entries={entries} value={(entry) => entry.weight_g} />
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Scan</th>
            <th scope="col">%</th>
            <th scope="col">g</th>
            <th scope="col">
              <span class="visually-hidden">Beside</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Row key={entry.case} desk={desk} entry={entry} />
          ))}
        </tbody>
      </table>
    </details>
  );
}

function Row({ desk, entry }: { desk: Desk; entry: TimelineEntry }) {
  const key = `case:${entry.case}`;
  const laid = beside.value?.key === key;
  const care = entry.biased_by?.length ? `Weight biased by: ${entry.biased_by.join(", ")}` : "";
  return (
    <tr class={entry.label === "this" ? "now" : ""}>
      <th scope="row">
        {entry.when ?? `Case ${entry.case_number}`} <span class="dim">{entry.label}</span>
      </th>
      <td class="num">{fixed(entry.extent_percent, 1)}</td>
      <td class="num" title={care || undefined}>
        {fixed(entry.weight_g, 0)}
        {care && entry.weight_g !== null && <span class="care">*</span>}
        {care && <span class="visually-hidden">{care}</span>}
      </td>
      <td>
        {entry.label !== "this" && (
          <button class="compact" aria-pressed={laid} title="Lay this scan beside" onClick={() => (laid ? closeBeside() : void layBeside(desk, key))}>
            {laid ? "Close" : "Beside"}
          </button>
        )}
      </td>
    </tr>
  );
}

function Chart({ name, entries, value }: { name: string; entries: readonly TimelineEntry[]; value(entry: TimelineEntry): number | null }) {
  const { points, path, top } = trendOf(entries.map(({ when }) => when), entries.map(value), WIDTH, HEIGHT);
  return (
    <figure aria-hidden="true">
      <figcaption class="dim">
        {name} <span class="num">0 to {top}</span>
      </figcaption>
      <svg viewBox={`-6 -6 ${WIDTH + 12} ${HEIGHT + 12}`}>
        <path class="trend-frame" d={`M0 ${HEIGHT}H${WIDTH}M0 0H${WIDTH}`} />
        <path class="trend-line" d={path} />
        {points.map(({ x, y }, n) => y !== null && <circle key={n} class={entries[n].label === "this" ? "now" : ""} cx={x} cy={y} r="3.5" />)}
      </svg>
    </figure>
  );
}
