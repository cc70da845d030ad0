/** The settings of the tool in hand, and of what acted at once beside it; always there, so that nothing beneath it jumps when tools change. */
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { toolNamed } from "../tools/registry";

export function ToolOptions({ desk }: { desk: Desk }) {
  const tool = toolNamed(state.tool.value);
  const acted = toolNamed(state.lastActed.value ?? "");
  const [Options, ActedOptions] = [tool?.Options, acted?.Options];
  return (
    <section class="tool-options" aria-label="Tool">
      {acted && ActedOptions && (
        <>
          <h2>{acted.title}</h2>
          <ActedOptions desk={desk} />
        </>
      )}
      <h2>{tool?.title ?? "Tool"}</h2>
      {Options ? <Options desk={desk} /> : <p class="dim">{tool?.does}</p>}
    </section>
  );
}
