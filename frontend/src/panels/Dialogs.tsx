/** Sheets over the viewer: keys, how a reading ends, and signing in again without losing anything. */
import { useState } from "preact/hooks";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { AmendDialog, HandOnDialog, ReturnDialog, SignDialog } from "./Ending";
import { KeySheet } from "./KeySheet";
import { Sheet } from "./Sheet";
import { useSubmit } from "./useSubmit";

export function Dialogs({ desk }: { desk: Desk }) {
  switch (state.dialog.value) {
    case "keys":
      return <KeySheet />;
    case "sign":
      return state.reading.value?.ending?.ends_with === "submit" ? <HandOnDialog desk={desk} /> : <SignDialog desk={desk} />;
    case "return":
      return <ReturnDialog desk={desk} />;
    case "amend":
      return <AmendDialog desk={desk} />;
    case "signin":
      return <SignInDialog desk={desk} />;
    default:
      return null;
  }
}

function SignInDialog({ desk }: { desk: Desk }) {
  const [username, setUsername] = useState(state.reading.value?.you?.username ?? "");
  const [password, setPassword] = useState("");
  const { busy, wrong, submit } = useSubmit(async () => {
    await desk.session.signIn(username, password);
    if (!state.reading.value || !desk.stage) location.reload();
  });
  return (
    <Sheet title="Sign in again" closable={false}>
      <form onSubmit={submit}>
        <p>Your session has ended. Nothing is lost: strokes that are not saved yet are kept in this browser.</p>
        <label>
          User name
          <input type="text" name="username" autocomplete="username" required value={username} onInput={(event) => setUsername(event.currentTarget.value)} />
        </label>
        <label>
          Password
          <input type="password" name="password" autocomplete="current-password" required autofocus value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        <p class="sheet-wrong" role="alert">
          {wrong}
        </p>
        <p class="sheet-actions">
          <button class="go" type="submit" disabled={busy}>
            Sign in
          </button>
        </p>
      </form>
    </Sheet>
  );
}
