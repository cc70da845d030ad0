/** A form that says what is wrong and stays open until the server agrees. */
import { useState } from "preact/hooks";
import { close } from "./Sheet";

export function useSubmit(work: () => Promise<void>): { busy: boolean; wrong: string; submit(event: Event): void } {
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
