/** The mask beside another state of it: which one, the three colours with their volumes, and the way from slice to slice. */
import { shownKeys } from "../keyboard";
import type { Desk } from "../reading/desk";
import { choices, chosen, compareWith, comparing, difference, nextDifference, otherNumbers, stop, worstDifference } from "../reading/difference";
import { DIFFERENCE_COLOURS } from "../viewer/maskpainter";
import { fixed, volume } from "./figures";
import * as state from "../state";
import { voxelVolume } from "../units";

export function Difference({ desk }: { desk: Desk }) {
  if (comparing.value === "no") return null;
  const found = difference.value;
  const ml = (voxels: number | undefined): string => (voxels === undefined ? "–" : volume(voxels * voxelVolume.value));
  const [mine, other] = [state.numbers.value, otherNumbers.value];
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
      <label class="beside">
        <span class="dim">A is this mask, B is</span>
        <select value={chosen.value ?? ""} onChange={(event) => void compareWith(desk, event.currentTarget.value)}>
          {choices.value.map((choice) => (
            <option key={choice.state} value={choice.state}>
              {choice.label}
            </option>
          ))}
        </select>
      </label>
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
            <td class="num">{fixed(mine?.extentPercent, 2)} %</td>
            <td class="num" data-number="other-extent">{fixed(other?.extentPercent, 2)} %</td>
          </tr>
          <tr>
            <th scope="row">Weight</th>
            <td class="num">{noHu ? "no HU" : `${fixed(mine?.weightG, 1)} g`}</td>
            <td class="num">{noHu ? "no HU" : `${fixed(other?.weightG, 1)} g`}</td>
          </tr>
        </tbody>
      </table>
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

function Class({ colour, name, volume }: { colour: string; name: string; volume: string }) {
  return (
    <li>
      <span class="label-swatch" style={{ "--colour": colour }} />
      <span>{name}</span>
      <span class="num">{volume}</span>
    </li>
  );
}
