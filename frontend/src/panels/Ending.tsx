/** How a reading ends: signed, handed on, sent back, amended. What is missing is said, with a way to each slice. */
import { useEffect, useState } from "preact/hooks";
import type { Attesting } from "../api/types";
import type { Desk } from "../reading/desk";
import { takeFromMask, verdictsFlushed } from "../reading/decisions";
import { answersFlushed, openForms } from "../reading/forms";
import { seenTold } from "../reading/ledger";
import { inWords } from "../reading/verdicts";
import { workTold } from "../reading/working";
import * as display from "../display";
import * as state from "../state";
import { fixed, volume } from "./figures";
import { WeightCare } from "./Remarks";
import { close, Sheet } from "./Sheet";
import { useSubmit } from "./useSubmit";
import "./ending.css";

/** Everything that a signature speaks of is on the server before it is asked what is missing. */
async function told(): Promise<void> {
  await Promise.all([seenTold(), verdictsFlushed(), workTold(), answersFlushed()]);
}

/** What the server finds missing; asked anew with `again`. */
function useAttesting(desk: Desk): { found: Attesting | null; wrong: string; again(): Promise<void> } {
  const [found, setFound] = useState<Attesting | null>(null);
  const [wrong, setWrong] = useState("");
  const again = async (): Promise<void> => {
    try {
      await told();
      setFound(await desk.session.api.attesting());
      setWrong("");
    } catch (error) {
      setWrong((error as Error).message || "The server cannot be asked what is missing.");
    }
  };
  useEffect(() => void again(), []);
  return { found, wrong, again };
}

function goTo(desk: Desk, z: number): void {
  close();
  desk.showSlice("axial", z);
}

function Slices({ desk, slices }: { desk: Desk; slices: readonly number[] }) {
  if (!slices.length) return null;
  return (
    <span class="missing-slices">
      <button type="button" class="small" onClick={() => goTo(desk, slices[0])}>
        Go to slice {slices[0] + 1}
      </button>
      <span class="dim num">{slices.length > 1 ? inWords(slices) : ""}</span>
    </span>
  );
}

function Missing({ desk, found }: { desk: Desk; found: Attesting }) {
  return (
    <ul class="missing">
      {found.missing.map(({ code, level, sentence, slices }) => (
        <li key={code} class={level === "block" ? "is-bad" : "is-wait"} data-missing={code}>
          <span>
            <b>{level === "block" ? "To do" : "Note"}</b> {sentence}
          </span>
          <Slices desk={desk} slices={slices} />
          {code === "forms_filled" && (
            <button type="button" class="small" onClick={() => (close(), openForms())}>
              Go to the scores
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Slices that were seen, have no verdict, and may take the mask's. */
function openSeen(found: Attesting): number {
  return found.undecided.filter((z) => display.seenSlices.value[z] && display.verdicts.value[z] === 0).length;
}

/** How each of these sheets ends: what is wrong, the way back, the way on. */
function Closing({ wrong, does, disabled, focused }: { wrong: string; does: string; disabled: boolean; focused?: boolean }) {
  return (
    <>
      <p class="sheet-wrong" role="alert">
        {wrong}
      </p>
      <p class="sheet-actions">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button class="go" type="submit" autofocus={focused} disabled={disabled}>
          {does}
        </button>
      </p>
    </>
  );
}

export function SignDialog({ desk }: { desk: Desk }) {
  const [password, setPassword] = useState("");
  const [inSpite, setInSpite] = useState(false);
  const reading = state.reading.value;
  const { found, wrong: unasked, again } = useAttesting(desk);
  const warned = found?.missing.filter(({ level }) => level === "warn") ?? [];
  const blocked = found?.missing.some(({ level }) => level === "block") ?? false;
  const { busy, wrong, submit } = useSubmit(() => told().then(() => desk.session.sign(password, inSpite ? warned.map(({ code }) => code) : [])));
  // Whoever types faster than the server says what is missing is told by its refusal instead.
  const refusal = reading?.may_sign ? null : (reading?.sign_refusal ?? "This reading cannot be signed now.");
  const n = state.numbers.value;
  const asksLung = (reading?.protocol?.attests.lung_checked ?? "off") !== "off";
  const [lungChecked, setLungChecked] = useState("lung_checked" in (reading?.ledger?.attests ?? {}));
  const checkLung = async (checked: boolean): Promise<void> => {
    setLungChecked(checked);
    await desk.session.api.recordLedger({ attests: { lung_checked: checked } }).catch(() => setLungChecked(!checked));
    await again();
  };
  const fromMask = found ? openSeen(found) : 0;
  return (
    <Sheet title={reading?.ending?.amends ? "Sign this amendment" : "Sign this reading"}>
      <form onSubmit={submit}>
        <p class="statement">{reading?.statement}</p>
        <p class="num">
          Extent <b>{fixed(n?.extentPercent, 2)} %</b>, weight <b>{fixed(n?.weightG, 1)} g</b>, lesion {volume(n?.lesionMl)} of {volume(n?.lungMl)} lung
        </p>
        <WeightCare scan={reading?.scan} />
        {reading?.ending?.amends && <p class="dim">Amends what was signed, because: {reading.ending.amends.reason}</p>}
        {found && <Missing desk={desk} found={found} />}
        {!found && <p class="dim">{unasked || "The server is being asked what is missing."}</p>}
        {fromMask > 0 && (
          <p class="from-mask">
            <button type="button" onClick={() => (takeFromMask(), void again())}>
              Take {fromMask} {fromMask === 1 ? "verdict" : "verdicts"} from the mask
            </button>
            <span class="dim">Slices that you have seen: present where the mask holds lesion, absent elsewhere.</span>
          </p>
        )}
        {asksLung && (
          <label class="tick">
            <input type="checkbox" name="lung_checked" checked={lungChecked} disabled={!!refusal} onChange={(event) => void checkLung(event.currentTarget.checked)} />I have checked the lung layer
          </label>
        )}
        {warned.length > 0 && !blocked && (
          <label class="tick">
            <input type="checkbox" name="in_spite" checked={inSpite} required onChange={(event) => setInSpite(event.currentTarget.checked)} />I sign in spite of what is noted above
          </label>
        )}
        <p class="dim">A signed reading no longer changes. Signed as {reading?.you?.name ?? reading?.reader.name}.</p>
        <input type="text" autocomplete="username" value={reading?.you?.username ?? ""} hidden readOnly />
        <label>
          Your password
          <input type="password" name="password" autocomplete="current-password" required autofocus value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        <Closing wrong={refusal ?? wrong} does={busy ? "Signing" : "Sign"} disabled={busy || !!refusal || blocked} />
      </form>
    </Sheet>
  );
}

export function HandOnDialog({ desk }: { desk: Desk }) {
  const reading = state.reading.value;
  const { busy, wrong, submit } = useSubmit(() => told().then(() => desk.session.submit()));
  const refusal = reading?.ending?.may_submit ? null : (reading?.ending?.submit_refusal ?? "This reading cannot be handed on now.");
  const n = state.numbers.value;
  return (
    <Sheet title="Hand this reading on">
      <form onSubmit={submit}>
        <p>The next stage begins from this mask as it is now. It no longer changes, unless it is sent back to you.</p>
        <p class="num">
          Extent <b>{fixed(n?.extentPercent, 2)} %</b>, lesion {volume(n?.lesionMl)} of {volume(n?.lungMl)} lung
        </p>
        <Closing wrong={refusal ?? wrong} does={busy ? "Handing on" : "Hand on"} disabled={busy || !!refusal} focused />
      </form>
    </Sheet>
  );
}

/** A reason that stays in the record, and what becomes of the reading. */
function ReasonDialog(of: { title: string; says: string; does: string; doing: string; work(reason: string): Promise<void> }) {
  const [reason, setReason] = useState("");
  const { busy, wrong, submit } = useSubmit(() => of.work(reason));
  return (
    <Sheet title={of.title}>
      <form onSubmit={submit}>
        <p>{of.says}</p>
        <label>
          Reason
          <textarea name="reason" rows={3} minLength={5} maxLength={500} required autofocus value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <p class="dim">It stays in the record, with your name and the time.</p>
        <Closing wrong={wrong} does={busy ? of.doing : of.does} disabled={busy} />
      </form>
    </Sheet>
  );
}

export function ReturnDialog({ desk }: { desk: Desk }) {
  const to = state.reading.value?.ending?.returns_to ?? "its reader";
  return (
    <ReasonDialog
      title={`Return to ${to}`}
      says={`${to} gets the case back with your reason. What you have drawn here is kept on record; once the case comes again, you begin from the new submission.`}
      does="Return"
      doing="Returning"
      work={(reason) => told().then(() => desk.session.sendBack(reason))}
    />
  );
}

export function AmendDialog({ desk }: { desk: Desk }) {
  return (
    <ReasonDialog
      title="Amend this signed reading"
      says="What you signed stays as it is. You begin a new reading from it; once you sign that, it stands in this one's place."
      does="Begin the amendment"
      doing="Beginning"
      work={async (reason) => location.assign(await desk.session.api.amend(reason))}
    />
  );
}
