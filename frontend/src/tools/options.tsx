/** Settings that painting and shape tools share, and the small controls that show them. */
import { effect, signal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Permit } from "../edits/permit";
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import { numberIn, remember, yesOrNo } from "../preferences";
import { onKey } from "../reading/acts";
import * as state from "../state";
import { unitOf } from "../units";
import "./options.css";

/** Ends belong to the range. Ground glass and consolidation as in science.md; bands are choices of the reader. */
export const HU_PRESETS = [
  { name: "Ground glass", low: -750, high: -300 },
  { name: "Consolidation", low: -300, high: 50 },
  { name: "Any lesion", low: -750, high: 50 },
] as const;

export const huLow = signal(-750);
export const huHigh = signal(50);
export const insideLung = signal(false);
/** Null: over anything that is not locked; 0: over nothing yet; else only over this label. */
export const onlyOver = signal<number | null>(null);
/** How deep a shape or box goes from the shown slice: this slice, some mm to both sides, or all. */
export const depthMm = signal<number | null>(0);
/** The depth that is neither this slice nor all. */
const reachMm = signal(10);
/** A finger turns slices and moves the picture; only who says so paints with it. */
export const fingerPaints = signal(false);

remember("tools.hu_from", huLow, { valid: numberIn(-1024, 3071) });
remember("tools.hu_to", huHigh, { valid: numberIn(-1024, 3071) });
remember("tools.inside_lung", insideLung, { valid: yesOrNo });
remember("tools.brush_mm", state.brushMm, { valid: numberIn(1, 100) });
remember("tools.reach_mm", reachMm, { valid: numberIn(1, 200) });
remember("tools.finger_paints", fingerPaints, { valid: yesOrNo });

onKey("inside_lung", () => (insideLung.value = !insideLung.value));

// The labels of findings and of lungs are not the same: what is bound to one means nothing for the other.
let boundLayer = state.target.peek().layer;
effect(() => {
  const { layer } = state.target.value;
  if (layer !== boundLayer) onlyOver.value = null;
  boundLayer = layer;
});

/** Where a painting or shape tool may write by these settings. */
export function guard(desk: Desk, huRange: readonly [number, number] | null = null, layer = state.target.value.layer): Permit | null {
  return desk.permit(layer, { huRange, insideLung: insideLung.value, onlyOver: onlyOver.value });
}

/** What may be erased: the label that is chosen under "only over", else all that is not locked; outside the lung, too. */
export function eraseGuard(desk: Desk, layer = state.target.value.layer): Permit | null {
  return desk.permit(layer, { onlyOver: onlyOver.value || null });
}

/** Something bounds what the tool in hand writes. */
export function isGuarded(): boolean {
  const { layer } = state.target.value;
  return onlyOver.value !== null || (insideLung.value && layer === "findings");
}

/** First and last slice along a plane's axis that the depth reaches from the shown slice. */
export function depthRange(slice: number, count: number, spacingMm: number): [number, number] {
  const mm = depthMm.value;
  if (mm === null) return [0, count - 1];
  const reach = Math.floor(mm / spacingMm + 1e-9);
  return [Math.max(0, slice - reach), Math.min(count - 1, slice + reach)];
}

interface CheckProps {
  of: Signal<boolean>;
  children: ComponentChildren;
  keys?: string;
  title?: string;
  disabled?: boolean;
}

export function Check({ of, children, keys, title, disabled }: CheckProps) {
  return (
    <label class="option-check" title={title}>
      <input type="checkbox" checked={of.value} disabled={disabled} onChange={(event) => (of.value = event.currentTarget.checked)} />
      <span>{children}</span>
      {keys && <kbd>{keys}</kbd>}
    </label>
  );
}

interface NumeralProps {
  of: Signal<number>;
  label: string;
  unit: string;
  min: number;
  max: number;
  step?: number;
  onInput?(): void;
}

export function Numeral({ of, label, unit, min, max, step = 1, onInput }: NumeralProps) {
  return (
    <label class="option-number">
      <span>{label}</span>
      <input
        type="number"
        class="num"
        value={of.value}
        min={min}
        max={max}
        step={step}
        onKeyDown={(event) => {
          // Back to the picture, and to its keys.
          if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
        }}
        onChange={(event) => {
          const value = event.currentTarget.valueAsNumber;
          if (Number.isFinite(value)) of.value = Math.min(max, Math.max(min, value));
          event.currentTarget.value = String(of.value);
          onInput?.();
        }}
      />
      <span class="dim">{unitOf(unit)}</span>
    </label>
  );
}

export function Choice<T extends string | number | null>({ label, of, values, onChange }: { label: string; of: Signal<T>; values: readonly (readonly [T, string])[]; onChange?(): void }) {
  return (
    <div class="option-choice" role="group" aria-label={label}>
      <span class="dim">{label}</span>
      {values.map(([value, name]) => (
        <button
          key={name}
          aria-pressed={of.value === value}
          onClick={() => {
            of.value = value;
            onChange?.();
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

export function HuRange({ onInput }: { onInput?(): void }) {
  return (
    <div class="option-range">
      <div class="option-choice" role="group" aria-label="Hounsfield window">
        {HU_PRESETS.map(({ name, low, high }) => (
          <button
            key={name}
            aria-pressed={huLow.value === low && huHigh.value === high}
            title={`${low} to ${high} HU`}
            onClick={() => {
              huLow.value = low;
              huHigh.value = high;
              onInput?.();
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="option-row">
        <Numeral of={huLow} label="from" unit="HU" min={-1024} max={3071} step={10} onInput={onInput} />
        <Numeral of={huHigh} label="to" unit="HU" min={-1024} max={3071} step={10} onInput={onInput} />
      </div>
    </div>
  );
}

/** Over what may be written. `erases`: the choice says what is erased. */
export function OnlyOver({ erases = false }: { erases?: boolean }) {
  const reading = state.reading.value;
  const labels = (state.target.value.layer === "findings" ? reading?.label_set.labels : reading?.anatomy_labels) ?? [];
  return (
    <label class="option-select">
      <span>{erases ? "Erase only" : "Only over"}</span>
      <select
        value={onlyOver.value === null || (erases && !onlyOver.value) ? "" : String(onlyOver.value)}
        onChange={(event) => (onlyOver.value = event.currentTarget.value === "" ? null : Number(event.currentTarget.value))}
      >
        <option value="">anything not locked</option>
        {!erases && <option value="0">nothing yet</option>}
        {labels.map((label) => (
          <option key={label.value} value={String(label.value)}>
            {label.name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Guards() {
  const ofFindings = state.target.value.layer === "findings";
  return (
    <div class="option-guards" role="group" aria-label="Where may be painted">
      <Check
        of={insideLung}
        keys={shownKeys("inside_lung")}
        disabled={!ofFindings}
        title={ofFindings ? "Findings are painted only where the lung layer is; erasing is free" : "A lung itself may be painted anywhere"}
      >
        Only inside the lung
      </Check>
      <OnlyOver />
      <Finger />
    </div>
  );
}

export function Finger() {
  if (typeof navigator === "undefined" || !navigator.maxTouchPoints) return null;
  return (
    <Check of={fingerPaints} title="Otherwise a finger turns slices, and two fingers move and zoom the picture">
      Paint with a finger
    </Check>
  );
}

export function BrushSize() {
  return <Numeral of={state.brushMm} label={`Diameter (${shownKeys("smaller")} ${shownKeys("larger")})`} unit="mm" min={1} max={100} step={0.5} />;
}

export function Depth() {
  return (
    <div class="option-row">
      <Choice
        label="Depth"
        of={depthMm}
        values={[
          [0, "This slice"],
          [reachMm.value, "Near"],
          [null, "All slices"],
        ]}
      />
      <Numeral
        of={reachMm}
        label="Near: ±"
        unit="mm"
        min={1}
        max={200}
        onInput={() => {
          if (depthMm.value) depthMm.value = reachMm.value;
        }}
      />
    </div>
  );
}
