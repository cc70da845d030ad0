/** Labels to paint with, the numbers of the mask, and what to know about the scan. */
import type { ComponentType } from "preact";
import type { Side } from "../edits/measure";
import { shownKeys, type KeyAction } from "../keyboard";
import type { Desk } from "../reading/desk";
import { Guideline } from "./Guideline";
import { History } from "./History";
import { Lesions } from "./Lesions";
import { ToolOptions } from "./ToolOptions";
import * as display from "../display";
import * as state from "../state";

export const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined
    ? "–"
    : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

const SECTIONS: { name: state.SectionName; title: string; action: KeyAction; Section: ComponentType<{ desk: Desk }> }[] = [
  { name: "lesions", title: "Lesions", action: "lesions", Section: Lesions },
  { name: "history", title: "History", action: "history", Section: History },
  { name: "guideline", title: "Guideline", action: "guideline", Section: Guideline },
];

export function SidePanel({ desk }: { desk: Desk }) {
  const open = SECTIONS.find((section) => section.name === state.section.value);
  return (
    <div class="side-body">
      <div class="side-tabs" role="tablist" aria-label="Panel">
        {[{ name: "labels" as const, title: "Labels", action: null }, ...SECTIONS].map(({ name, title, action }) => (
          <button
            key={name}
            role="tab"
            aria-selected={state.section.value === name}
            title={action ? `${title} (${shownKeys(action)})` : title}
            onClick={() => (state.section.value = name)}
          >
            {title}
          </button>
        ))}
      </div>
      {open ? <open.Section desk={desk} /> : <Labels desk={desk} />}
      <Numbers />
    </div>
  );
}

function Labels({ desk }: { desk: Desk }) {
  const reading = state.reading.value;
  return (
    <>
      <ToolOptions desk={desk} />
      <h2>Labels</h2>
      <ul class="labels">
        {reading?.label_set.labels.map((label, index) => (
          <LabelRow key={label.value} layer="findings" value={label.value} name={label.name} colour={label.colour} hotkey={index < 9 ? String(index + 1) : ""} exclusion={label.is_exclusion} />
        ))}
      </ul>
      <h2 class="side-heading">
        Lung
        <button class="compact" aria-pressed={display.lungShown.value} onClick={() => (display.lungShown.value = !display.lungShown.value)}>
          outline
        </button>
      </h2>
      <ul class="labels">
        {reading?.anatomy_labels.map((label) => (
          <LabelRow key={label.value} layer="anatomy" value={label.value} name={label.name} colour={label.colour} hotkey="" exclusion={false} />
        ))}
      </ul>
      <Facts />
    </>
  );
}

interface RowProps {
  layer: "findings" | "anatomy";
  value: number;
  name: string;
  colour: string;
  hotkey: string;
  exclusion: boolean;
}

function LabelRow({ layer, value, name, colour, hotkey, exclusion }: RowProps) {
  const chosen = state.target.value.layer === layer && state.target.value.value === value;
  const volume = layer === "findings" ? state.numbers.value?.byLabel.get(value)?.volumeMl : undefined;
  return (
    <li>
      <button
        class="label"
        aria-pressed={chosen}
        aria-keyshortcuts={hotkey || undefined}
        title={exclusion ? `${name}: seen, and excluded from the lesion` : name}
        onClick={() => (state.target.value = { layer, value })}
      >
        <kbd>{hotkey}</kbd>
        <span class={layer === "anatomy" ? "label-swatch line" : "label-swatch"} style={{ "--colour": colour }} />
        <span class="ellipsis">{name}</span>
        {volume ? <span class="num dim">{fixed(volume, 1)} mL</span> : null}
      </button>
    </li>
  );
}

function Numbers() {
  const n = state.numbers.value;
  const reading = state.reading.value;
  const weight = reading && !reading.scan.has_hu ? "no HU" : `${fixed(n?.weightG, 1)} g`;
  const side = (s: Side | undefined): string => `${fixed(s?.extentPercent, 1)} %`;
  return (
    <section class="numbers" aria-label="Numbers">
      <dl>
        <dt>Extent</dt>
        <dd class="big num" data-number="extent">
          {fixed(n?.extentPercent, 2)} %
        </dd>
        <dt>Weight</dt>
        <dd class="big num" data-number="weight">
          {weight}
        </dd>
        <dt>Lesion</dt>
        <dd class="num" data-number="lesion">
          {fixed(n?.lesionMl, 1)} mL
        </dd>
        <dt>Lung</dt>
        <dd class="num" data-number="lung">
          {fixed(n?.lungMl, 0)} mL
        </dd>
      </dl>
      <table>
        <thead>
          <tr>
            <th />
            <th scope="col">Right</th>
            <th scope="col">Left</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Extent</th>
            <td class="num">{side(n?.right)}</td>
            <td class="num">{side(n?.left)}</td>
          </tr>
          <tr>
            <th scope="row">Lesion</th>
            <td class="num">{fixed(n?.right.lesionMl, 1)} mL</td>
            <td class="num">{fixed(n?.left.lesionMl, 1)} mL</td>
          </tr>
          <tr>
            <th scope="row">Weight</th>
            <td class="num">{fixed(n?.right.weightG, 1)} g</td>
            <td class="num">{fixed(n?.left.weightG, 1)} g</td>
          </tr>
          <tr>
            <th scope="row">Lung</th>
            <td class="num">{fixed(n?.right.lungMl, 0)} mL</td>
            <td class="num">{fixed(n?.left.lungMl, 0)} mL</td>
          </tr>
        </tbody>
      </table>
      <p class={n && n.lesionOutsideLungMl > 0 ? "caution" : "caution silent"}>
        {n && n.lesionOutsideLungMl > 0 ? `${fixed(n.lesionOutsideLungMl, 2)} mL of lesion lies outside the lung and is not counted.` : "\u00a0"}
      </p>
    </section>
  );
}

function Facts() {
  const reading = state.reading.value;
  if (!reading) return null;
  const [, , x] = reading.scan.spacing_zyx_mm;
  const [z] = reading.scan.spacing_zyx_mm;
  return (
    <section class="scan-facts">
      <h2>Scan</h2>
      <p class="dim num">
        {reading.scan.shape_zyx[2]} × {reading.scan.shape_zyx[1]} × {reading.scan.shape_zyx[0]}, {x.toFixed(2)} mm, slices {z.toFixed(2)} mm
      </p>
      {reading.scan.warnings.map((warning) => (
        <p class="caution" key={warning.code}>
          {warning.sentence}
        </p>
      ))}
      <p class="dim">
        {reading.label_set.name}, version {reading.label_set.version}
      </p>
    </section>
  );
}
