/**
 * The first slabs of the case that comes next ([data-ahead], addresses with spaces between), fetched into the browser's
 * own cache once the page is at rest, one after the other with low priority.
 */
import { fetchAhead } from "../reading/ahead";

const REST_MS = 1200;

export async function fetchNextAhead(get: typeof fetch = fetch): Promise<void> {
  const urls = document.querySelector<HTMLElement>("[data-ahead]")?.dataset.ahead?.split(" ").filter(Boolean) ?? [];
  const sparing = !!(navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
  if (!urls.length || sparing) return;
  const leaving = new AbortController();
  addEventListener("pagehide", () => leaving.abort(), { once: true });
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  await fetchAhead(urls.map((url) => ({ url, bytes: 0 })), leaving.signal, get);
}
