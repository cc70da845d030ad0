/** Two states of the mask: which ones, the three colours with their volumes, the labels, and the way from slice to slice. */
import { shownKeys } from "../keyboard";
import type { LayerName } from "../edits/layers";
import type { Desk } from "../reading/desk";
import { choices, chosen, compare, comparing, difference, nextDifference, NOW, numbersOfA, numbersOfB, stop, worstDifference, type Choice } from "../reading/difference";
import { DIFFERENCE_COLOURS } from "../viewer/maskpainter";
import { fixed, volume } from "./figures";
import * as state from "../state";
import { voxelVolume } from "../units";
import { WeightCare } from "./Remarks";

const MASK: Choice = { state: NOW, label: "This mask, as it is now" };
const LAYERS: readonly [LayerName, string][] = [
  ["findings", "Findings"],
  ["anatomy", "Lungs"],
];

export function Difference({ desk }: { desk: Desk }) {
  if (comparing.value === "no") return null;
  const found = difference.value;
  const ml = (voxels: number | undefined): string => (voxels === undefined ? "–" : volume(voxels * voxelVolume.value));
  const { a, b, layer } = chosen.value;
  const [ofA, ofB] = [a === NOW ? state.numbers.value : numbersOfA.value, numbersOfB.value];
  const slices = found?.disputed.reduce((sum, mark) => sum + mark, 0);
  const noHu = state.reading.value?.scan.has_hu === false;
  return (
    <section class="overlay-panel" aria-label="Difference">
      <div class="side-heading">
        <h2>
          Difference{" "}
          <span class="num">{comparing.value === "loading" ? "loading" : slices === undefined ? "counting" : `on ${slices} ${slices === 1 ? "slice" : "slices"}`}</span>
        </h2>
        <button class="compact" title={`Close the difference (${shownKeys("difference")})`} onClick={stop}>
          Close <kbd>{shownKeys("difference")}</kbd>
        </button>
      </div>
      <div class="beside">
        <Side name="A" of={[MASK, ...choices.value]} now={a} take={(name) => void compare(desk, { a: name })} />
        <Side name="B" of={choices.value} now={b ?? ""} take={(name) => void compare(desk, { b: name })} />
      </div>
      <div class="segmented" role="group" aria-label="Layer that is compared">
        {LAYERS.map(([name, title]) => (
          <button key={name} class="compact" aria-pressed={layer === name} onClick={() => void compare(desk, { layer: name })}>
            {title}
          </button>
        ))}
      </div>
      {a !== NOW && <p class="dim">The mask itself is not on the picture: it cannot be painted now.</p>}
      <ul class="legend" aria-busy={comparing.value !== "yes"}>
        <Class colour={DIFFERENCE_COLOURS.both} name="Both" volume={ml(found?.both)} />
        <Class colour={DIFFERENCE_COLOURS.onlyA} name="Only A" volume={ml(found?.onlyA)} />
        <Class colour={DIFFERENCE_COLOURS.onlyB} name="Only B" volume={ml(found?.onlyB)} />
      </ul>
      <table class="pair">
        <thead>
          <tr>
            <th scope="col" data-number="dice">
              Dice <b class="num">{found ? (found.dice === null ? "none" : fixed(found.dice, 3)) : "–"}</b>
            </th>
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Extent</th>
            <td class="num">{fixed(ofA?.extentPercent, 2)} %</td>
            <td class="num" data-number="other-extent">{fixed(ofB?.extentPercent, 2)} %</td>
          </tr>
          <tr>
            <th scope="row">Weight</th>
            <td class="num">{noHu ? "no HU" : `${fixed(ofA?.weightG, 1)} g`}</td>
            <td class="num">{noHu ? "no HU" : `${fixed(ofB?.weightG, 1)} g`}</td>
          </tr>
          {found?.byLabel.map((label) => (
            <tr key={label.value} data-label={label.value}>
              <th scope="row" class="ellipsis" title={`${nameOf(layer, label.value)}: Dice ${fixed(label.dice, 3)}`}>
                {nameOf(layer, label.value)} <b class="num">{fixed(label.dice, 3)}</b>
              </th>
              <td class="num">{ml(label.a)}</td>
              <td class="num">{ml(label.b)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <WeightCare scan={state.reading.value?.scan} />
      <p class="jumps">
        <button class="compact" disabled={!slices} onClick={() => nextDifference(desk)}>
          Next <kbd>{shownKeys("next_difference")}</kbd>
        </button>
        <button class="compact" disabled={!slices} onClick={() => worstDifference(desk)}>
          Worst <kbd>{shownKeys("worst_difference")}</kbd>
        </button>
      </p>
    </section>
  );
}

interface SideProps {
  name: "A" | "B";
  of: readonly Choice[];
  now: string;
  take(state: string): void;
}

function Side({ name, of, now, take }: SideProps) {
  return (
    <label>
      <span class="dim">{name}</span>
      <select value={now} aria-label={`State ${name}`} onChange={(event) => take(event.currentTarget.value)}>
        {of.map((choice) => (
          <option key={choice.state} value={choice.state}>
            {choice.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function nameOf(layer: LayerName, value: number): string {
  const { reading } = state;
  const labels = layer === "anatomy" ? reading.value?.anatomy_labels : reading.value?.label_set.labels;
  return labels?.find((label) => label.value === value)?.name ?? `label ${value}`;
}

function Class({ colour, name, volume }: { colour: string; name: string; volume: string }) {
  return (
    <li>
      <span class="label-swatch" style={{ "--colour": colour }} />
      <span>{name}</span>
      <span class="num">{volume}</span>
    </li>
  );
}
