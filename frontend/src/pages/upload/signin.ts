/** Signing in again in a dialog over the page, so that an upload goes on where it was. */
import { Refused, type Server } from "./server";

/** Ask for name and password; true when somebody signed in, false when the dialog was put away. */
export function signInAgain(zone: HTMLElement, server: Server): Promise<boolean> {
  const dialog = zone.ownerDocument.querySelector<HTMLDialogElement>("dialog[data-sign-in]")!;
  const form = dialog.querySelector("form")!;
  const error = dialog.querySelector<HTMLElement>("[data-error]")!;
  const away = dialog.querySelector<HTMLElement>("[data-close]")!;
  const password = form.elements.namedItem("password") as HTMLInputElement;
  if (dialog.open) return new Promise((done) => dialog.addEventListener("close", () => done(false), { once: true }));
  error.textContent = "";
  password.value = "";
  dialog.showModal();
  password.focus();
  return new Promise((done) => {
    const submitted = async (event: SubmitEvent): Promise<void> => {
      event.preventDefault();
      const username = (form.elements.namedItem("username") as HTMLInputElement).value;
      try {
        await server.signIn(username, password.value);
        end(true);
      } catch (refused) {
        error.textContent = refused instanceof Refused ? refused.message : "That did not work.";
        password.select();
      }
    };
    const closed = (): void => end(false);
    const putAway = (): void => dialog.close();
    const end = (signedIn: boolean): void => {
      form.removeEventListener("submit", submitted);
      away.removeEventListener("click", putAway);
      dialog.removeEventListener("close", closed);
      password.value = "";
      if (dialog.open) dialog.close();
      done(signedIn);
    };
    form.addEventListener("submit", submitted);
    away.addEventListener("click", putAway);
    dialog.addEventListener("close", closed);
  });
}
