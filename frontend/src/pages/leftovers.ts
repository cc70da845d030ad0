/**
 * Strokes that this person painted in this browser and that no server has yet, of whichever reading: a killed browser leaves
 * them, and they go when their reading is opened again. Until then every page says so, to them alone.
 */
import { StrokeLog } from "../edits/strokelog";
import { livingTabs } from "../reading/tab";

export async function tellLeftovers(): Promise<void> {
  const you = document.body.dataset.person;
  const content = document.getElementById("content");
  if (!you || !content) return;
  const log = await StrokeLog.open().catch(() => null);
  if (!log) return;
  const left = await log.leftBy(you, await livingTabs());
  log.close();
  if (left.size) content.prepend(notice(left));
}

function notice(left: ReadonlyMap<string, number>): HTMLElement {
  const box = Object.assign(document.createElement("div"), { className: "notices" });
  box.setAttribute("role", "status");
  for (const [reading, count] of left) {
    const line = Object.assign(document.createElement("div"), { className: "notice warning" });
    const text = document.createElement("p");
    const link = Object.assign(document.createElement("a"), { href: `/readings/${encodeURIComponent(reading)}/`, textContent: "Open the reading" });
    text.append(`${count} ${count === 1 ? "stroke" : "strokes"} that you painted in this browser ${count === 1 ? "is" : "are"} not saved yet. `, link, " to save them.");
    line.append(text);
    box.append(line);
  }
  return box;
}
