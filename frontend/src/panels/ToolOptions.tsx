/** The settings of the tool in hand; always there, so that nothing beneath it jumps when tools change. */
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { toolNamed } from "../tools/registry";

export function ToolOptions({ desk }: { desk: Desk }) {
  const tool = toolNamed(state.tool.value);
  const Options = tool?.Options;
  return (
    <section class="tool-options" aria-label="Tool">
      <h2>{tool?.title ?? "Tool"}</h2>
      {Options ? <Options desk={desk} /> : <p class="dim">{tool?.does}</p>}
    </section>
  );
}
