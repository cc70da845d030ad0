/** Extent, weight and volumes of the mask as it is now, and what to know of the scan when a weight is read. */
import type { Side } from "../edits/measure";
import { fixed, volume } from "./figures";
import { Remarks } from "./Remarks";
import * as state from "../state";
import { volumeUnit } from "../units";

export function Numbers() {
  const n = state.numbers.value;
  const scan = state.reading.value?.scan;
  const noHu = scan?.has_hu === false;
  const grams = (value: number | null | undefined): string => (noHu ? "no HU" : `${fixed(value, 1)} g`);
  const whole: Side | undefined = n ? { lungMl: n.lungMl, lesionMl: n.lesionMl, extentPercent: n.extentPercent, weightG: n.weightG } : undefined;
  const row = (name: string, cell: (side: Side | undefined) => string, key?: string) => (
    <tr>
      <th scope="row">{name}</th>
      <td class="num" data-number={key}>
        {cell(whole)}
      </td>
      <td class="num">{cell(n?.right)}</td>
      <td class="num">{cell(n?.left)}</td>
    </tr>
  );
  return (
    <section class="numbers" aria-label="Numbers">
      <dl class="headline">
        <div>
          <dt>Extent</dt>
          <dd class="big num" data-number="extent">
            {fixed(n?.extentPercent, 2)} %
          </dd>
        </div>
        <div>
          <dt>Weight</dt>
          <dd class="big num" data-number="weight">
            {grams(n?.weightG)}
          </dd>
        </div>
      </dl>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">Both</th>
            <th scope="col">Right</th>
            <th scope="col">Left</th>
          </tr>
        </thead>
        <tbody>
          {row("Extent, %", (side) => fixed(side?.extentPercent, 1))}
          {row(volumeUnit.value === "mL" ? "Lesion, mL" : "Lesion, vox.", (side) => fixed(side?.lesionMl, volumeUnit.value === "mL" ? 1 : 0), "lesion")}
          {row("Weight, g", (side) => (noHu ? "–" : fixed(side?.weightG, 1)))}
          {row(volumeUnit.value === "mL" ? "Lung, mL" : "Lung, vox.", (side) => fixed(side?.lungMl, 0), "lung")}
        </tbody>
      </table>
      <p class={n && n.lesionOutsideLungMl > 0 ? "caution" : "caution silent"}>
        {n && n.lesionOutsideLungMl > 0 ? `${volume(n.lesionOutsideLungMl)} of lesion outside the lung ${volumeUnit.value === "mL" ? "is" : "are"} not counted.` : "\u00a0"}
      </p>
      <Remarks scan={scan} />
    </section>
  );
}
