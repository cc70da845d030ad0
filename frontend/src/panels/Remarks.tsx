/** What to know of a scan when its weight is read: said quietly wherever a weight stands, in full where there is room. */
import type { Reading, Warning } from "../api/types";

type Scan = Reading["scan"];

const word = (warning: Warning): string => warning.short ?? warning.code.replaceAll("_", " ");

/** The words for what biases the scan's weight; empty where nothing is known to. */
export function biasWords(scan: Scan | undefined): string[] {
  return (scan?.warnings ?? []).filter((warning) => warning.biases_weight !== false).map(word);
}

/** One line: why the weight must be read with care. */
export function WeightCare({ scan }: { scan: Scan | undefined }) {
  const words = biasWords(scan);
  if (!words.length) return null;
  return (
    <p class="weight-care">
      {scan?.has_hu === false ? "No weight" : "Weight biased by"}: {words.join(", ")}
    </p>
  );
}

/** A mark at a weight that stands where there is no room for the line. */
export function WeightMark({ scan }: { scan: Scan | undefined }) {
  const words = biasWords(scan);
  if (!words.length) return null;
  const sentence = `${scan?.has_hu === false ? "No weight" : "Weight biased by"}: ${words.join(", ")}`;
  return (
    <span class="weight-mark" title={sentence}>
      <span aria-hidden="true">*</span>
      <span class="visually-hidden">{sentence}</span>
    </span>
  );
}

/** The same line, which opens to every remark on the scan and why it matters. */
export function Remarks({ scan }: { scan: Scan | undefined }) {
  const warnings = scan?.warnings ?? [];
  if (!warnings.length) return null;
  const words = biasWords(scan);
  const others = warnings.length === 1 ? "1 remark on this scan" : `${warnings.length} remarks on this scan`;
  return (
    <details class="scan-warnings">
      <summary>{words.length ? `${scan?.has_hu === false ? "No weight" : "Weight biased by"}: ${words.join(", ")}` : others}</summary>
      {warnings.map((warning) => (
        <p key={warning.code}>
          {warning.sentence} {warning.why && <span class="dim">{warning.why}</span>}
        </p>
      ))}
    </details>
  );
}
