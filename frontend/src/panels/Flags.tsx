/** Flags of the case: what this reading says of the whole of it, with a remark; the coordinator sees them. */
import { useSignal } from "@preact/signals";
import { Refused, SignedOut } from "../api/client";
import type { FlagsAnswer } from "../api/types";
import type { Desk } from "../reading/desk";
import * as state from "../state";

const LONGEST = 500;

export function Flags({ desk }: { desk: Desk }) {
  const reading = state.reading.value;
  const trouble = useSignal<string | null>(null);
  const flags = reading?.flags;
  if (!reading || !flags?.offered.length) return null;
  const say = async (body: { flag: string; set: boolean; remark?: string }): Promise<void> => {
    try {
      const said = await desk.session.api.at<FlagsAnswer>(`/api/readings/${desk.session.id}/flags/`, body);
      if (state.reading.value) state.reading.value = { ...state.reading.value, flags: said };
      trouble.value = null;
    } catch (error) {
      if (error instanceof SignedOut) state.dialog.value = "signin";
      // The boxes show what the server has: ticked in vain is not ticked.
      if (state.reading.value) state.reading.value = { ...state.reading.value };
      trouble.value = error instanceof Refused ? error.message : "The flag was not kept: the server did not answer.";
    }
  };
  return (
    <div class="flags">
      <h2 class="side-heading" id="flags-title">
        Flags of this case
      </h2>
      <ul aria-labelledby="flags-title">
        {flags.offered.map(({ name, proposes_exclusion }) => {
          const set = flags.set.find((one) => one.name === name);
          return (
            <li key={name}>
              <label>
                <input
                  type="checkbox"
                  checked={!!set}
                  disabled={!reading.may_edit}
                  onChange={(event) => {
                    const { checked } = event.currentTarget;
                    event.currentTarget.checked = !!set;
                    void say({ flag: name, set: checked });
                  }}
                />
                {name}
              </label>
              {set && reading.may_edit && (
                <input
                  class="flag-remark"
                  aria-label={`Remark on ${name}`}
                  placeholder="Remark"
                  maxLength={LONGEST}
                  value={set.remark}
                  onChange={(event) => void say({ flag: name, set: true, remark: event.currentTarget.value })}
                />
              )}
              {set && !reading.may_edit && set.remark && <p class="dim">{set.remark}</p>}
              {set && proposes_exclusion && (
                <p class="dim">{set.decided ? `${set.decided.excluded ? "Excluded" : "Kept"} by ${set.decided.by}: ${set.decided.reason}` : "A coordinator decides whether the case leaves."}</p>
              )}
            </li>
          );
        })}
      </ul>
      {trouble.value && (
        <p class="message is-bad" role="alert">
          {trouble.value}
        </p>
      )}
    </div>
  );
}
