/** Sheets over the viewer: keys, signature, and signing in again without losing anything. */
import { useState } from "preact/hooks";
import type { Desk } from "../reading/desk";
import * as state from "../state";
import { fixed, volume } from "./figures";
import { WeightCare } from "./Remarks";
import { KeySheet } from "./KeySheet";
import { close, Sheet } from "./Sheet";

export function Dialogs({ desk }: { desk: Desk }) {
  switch (state.dialog.value) {
    case "keys":
      return <KeySheet />;
    case "sign":
      return <SignDialog desk={desk} />;
    case "signin":
      return <SignInDialog desk={desk} />;
    default:
      return null;
  }
}

/** A form that says what is wrong and stays open until the server agrees. */
function useSubmit(work: () => Promise<void>): { busy: boolean; wrong: string; submit(event: Event): void } {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    work()
      .then(close)
      .catch((error: Error) => setWrong(error.message || "The server did not agree."))
      .finally(() => setBusy(false));
  };
  return { busy, wrong, submit };
}

function SignDialog({ desk }: { desk: Desk }) {
  const [password, setPassword] = useState("");
  const reading = state.reading.value;
  const { busy, wrong, submit } = useSubmit(() => desk.session.sign(password));
  const refusal = reading?.may_sign ? null : (reading?.sign_refusal ?? "This reading cannot be signed now.");
  const n = state.numbers.value;
  return (
    <Sheet title="Sign this reading">
      <form onSubmit={submit}>
        <p class="statement">{reading?.statement}</p>
        <p class="num">
          Extent <b>{fixed(n?.extentPercent, 2)} %</b>, weight <b>{fixed(n?.weightG, 1)} g</b>, lesion {volume(n?.lesionMl)} of {volume(n?.lungMl)} lung
        </p>
        <WeightCare scan={reading?.scan} />
        <p class="dim">A signed reading no longer changes. Signed as {reading?.you?.name ?? reading?.reader.name}.</p>
        <input type="text" autocomplete="username" value={reading?.you?.username ?? ""} hidden readOnly />
        <label>
          Your password
          <input type="password" name="password" autocomplete="current-password" required autofocus value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        <p class="sheet-wrong" role="alert">
          {refusal ?? wrong}
        </p>
        <p class="sheet-actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button class="go" type="submit" disabled={busy || !!refusal}>
            {busy ? "Signing" : "Sign"}
          </button>
        </p>
      </form>
    </Sheet>
  );
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
