/** Labels to paint with: shown or hidden, locked or open, what they measure and how they are coded. */
import { signal } from "@preact/signals";
import type { LayerName } from "../edits/layers";
import { shownKeys } from "../keyboard";
import { remember, yesOrNo } from "../preferences";
import type { Desk } from "../reading/desk";
import { ToolOptions } from "./ToolOptions";
import { fixed, volume as inWords } from "./figures";
import { WeightMark } from "./Remarks";
import * as display from "../display";
import * as state from "../state";

const details = signal(false);
remember("panels.label_details", details, { valid: yesOrNo });

const LOOKS = [
  { look: "both", name: "Both" },
  { look: "fill", name: "Fill" },
  { look: "outline", name: "Outline" },
] as const;

export function Labels({ desk }: { desk: Desk }) {
  const reading = state.reading.value;
  const [lungName, lungKey] = ["Lung", shownKeys("lung_label")];
  return (
    <>
      <ToolOptions desk={desk} />
      <div class="side-heading">
        <h2>Labels</h2>
        <button class="compact" aria-pressed={details.value} title="Weights and codes of the labels" onClick={() => (details.value = !details.value)}>
          Details
        </button>
      </div>
      <ul class="labels">
        {reading?.label_set.labels.map((label, index) => (
          <LabelRow
            key={label.value}
            layer="findings"
            value={label.value}
            name={label.name}
            colour={label.colour}
            hotkey={index < 9 ? String(index + 1) : ""}
            note={!label.is_exclusion ? "" : label.counts_as_lung ? "excluded, counts as lung" : "excluded, no lung"}
            code={label.code ?? null}
          />
        ))}
      </ul>
      <div class="side-heading">
        <h2>
          {lungName} <kbd>{lungKey}</kbd>
        </h2>
        <span class="segmented" role="group" aria-label="How the lungs are shown">
          {(["outline", "fill"] as const).map((look) => (
            <button
              key={look}
              class="compact"
              aria-pressed={display.lungShown.value && display.lungLook.value === look}
              onClick={() => {
                const same = display.lungShown.value && display.lungLook.value === look;
                display.lungLook.value = look;
                display.lungShown.value = !same;
              }}
            >
              {look}
            </button>
          ))}
        </span>
      </div>
      <ul class="labels">
        {reading?.anatomy_labels.map((label) => (
          <LabelRow key={label.value} layer="anatomy" value={label.value} name={label.name} colour={label.colour} hotkey="" note="" code={null} />
        ))}
      </ul>
      <MaskLook />
      <Facts />
    </>
  );
}

function MaskLook() {
  return (
    <section class="mask-look" aria-label="How masks are shown">
      <div class="side-heading">
        <h2>
          Masks <kbd>{shownKeys("outline")}</kbd>
        </h2>
        <span class="segmented" role="group" aria-label="Fill and outline">
          {LOOKS.map(({ look, name }) => (
            <button key={look} class="compact" aria-pressed={display.look.value === look} onClick={() => (display.look.value = look)}>
              {name.toLowerCase()}
            </button>
          ))}
        </span>
      </div>
      <label class="opacity">
        <span class="dim">Fill</span>
        <input
          type="range"
          min={5}
          max={100}
          step={5}
          value={display.fillPercent.value}
          disabled={display.look.value === "outline"}
          onInput={(event) => (display.fillPercent.value = event.currentTarget.valueAsNumber)}
        />
        <span class="num">{display.fillPercent.value} %</span>
      </label>
      <p class="dim">
        <kbd class="in-text">{shownKeys("hide")}</kbd> held hides them
      </p>
    </section>
  );
}

interface RowProps {
  layer: LayerName;
  value: number;
  name: string;
  colour: string;
  hotkey: string;
  note: string;
  code: { scheme: string; value: string; meaning: string } | null;
}

const toggled = (set: ReadonlySet<string>, key: string): ReadonlySet<string> => {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
};

function LabelRow({ layer, value, name, colour, hotkey, note, code }: RowProps) {
  const key = display.labelKey(layer, value);
  const chosen = state.target.value.layer === layer && state.target.value.value === value;
  const hidden = display.hiddenLabels.value.has(key);
  const locked = display.lockedLabels.value.has(key);
  const n = state.numbers.value;
  const found = layer === "findings" ? n?.byLabel.get(value) : undefined;
  const lung = value === 1 ? n?.left.lungMl : value === 2 ? n?.right.lungMl : undefined;
  const volume = layer === "findings" ? found?.volumeMl : lung;
  return (
    <li class={chosen ? "chosen" : ""}>
      <div class="label-row">
        <button class="label" aria-pressed={chosen} aria-keyshortcuts={hotkey || undefined} title={note ? `${name}: ${note}` : name} onClick={() => (state.target.value = { layer, value })}>
          <kbd>{hotkey}</kbd>
          <span class={layer === "anatomy" ? "label-swatch line" : "label-swatch"} style={{ "--colour": colour }} />
          <span class={hidden ? "ellipsis dim" : "ellipsis"}>{name}</span>
          <span class="num label-volume">{volume ? inWords(volume) : ""}</span>
        </button>
        <Toggle kind="eye" on={!hidden} name={hidden ? `Show ${name}` : `Hide ${name}`} act={() => (display.hiddenLabels.value = toggled(display.hiddenLabels.value, key))} />
        <Toggle
          kind="lock"
          on={locked}
          name={locked ? `Unlock ${name}` : `Lock ${name}: nothing overwrites or erases it`}
          act={() => (display.lockedLabels.value = toggled(display.lockedLabels.value, key))}
        />
      </div>
      {details.value && layer === "findings" && (
        <p class="label-details dim">
          <span class="num">{state.reading.value?.scan.has_hu === false ? "no HU" : `${fixed(found?.weightG, 1)} g`}</span>
          <WeightMark scan={state.reading.value?.scan} />
          {found && found.outsideMl > 0 && <span class="num">, {inWords(found.outsideMl)} outside the lung</span>}
          {note && <span> · {note}</span>}
          {code && (
            <span class="label-code" title={code.meaning}>
              {code.scheme} {code.value} · {code.meaning}
            </span>
          )}
        </p>
      )}
    </li>
  );
}

const PICTURES = {
  eye: { on: "M1.500 9S4.500 4 9 4s7.500 5 7.500 5-3 5-7.500 5-7.500-5-7.500-5zM9 7a2 2 0 100 4 2 2 0 000-4z", off: "M2 2l14 14M4 6C2.500 7.500 1.500 9 1.500 9S4.500 14 9 14c1 0 2-.2 2.800-.6M7 4.300C7.600 4.100 8.300 4 9 4c4.500 0 7.500 5 7.500 5s-.8 1.400-2.200 2.700" },
  lock: { on: "M4 8h10v7H4zM6 8V6a3 3 0 016 0v2", off: "M4 8h10v7H4zM6 8V5.500a3 3 0 015.800-1" },
};

function Toggle({ kind, on, name, act }: { kind: keyof typeof PICTURES; on: boolean; name: string; act(): void }) {
  return (
    <button class={`label-toggle ${kind} ${on ? "on" : ""}`} aria-pressed={on} aria-label={name} title={name} onClick={act}>
      <svg viewBox="0 0 18 18" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
        <path d={PICTURES[kind][on ? "on" : "off"]} />
      </svg>
    </button>
  );
}

function Facts() {
  const reading = state.reading.value;
  if (!reading) return null;
  const [z, , x] = reading.scan.spacing_zyx_mm;
  return (
    <section class="scan-facts">
      <h2>Scan</h2>
      <p class="dim num">
        {reading.scan.shape_zyx[2]} × {reading.scan.shape_zyx[1]} × {reading.scan.shape_zyx[0]}, {reading.scan.voxel_volume_ml === null ? "size of a pixel unknown" : `${x.toFixed(2)} mm, slices ${z.toFixed(2)} mm`}
      </p>
      <p class="dim">
        {reading.label_set.name}, version {reading.label_set.version}
      </p>
    </section>
  );
}
