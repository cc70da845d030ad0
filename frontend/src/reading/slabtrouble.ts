/** What a reader is told while parts of a scan do not load, and that it is over. */
import * as state from "../state";

interface SlabTrouble {
  failed(sentence: string): void;
  mended(): void;
  signedOut(): void;
}

export function slabTrouble(): SlabTrouble {
  let said: string | null = null;
  return {
    failed: (sentence) => (state.notice.value = said = sentence),
    mended: () => {
      if (said !== null && state.notice.value === said) state.notice.value = null;
      said = null;
    },
    signedOut: () => {
      if (state.dialog.value !== "signin") state.dialog.value = "signin";
    },
  };
}
