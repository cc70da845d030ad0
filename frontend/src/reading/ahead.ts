/** Slabs fetched into the browser's own cache, one after the other with low priority, until one fails or all is told to stop. */
export const fetched = { slabs: 0, bytes: 0 };

export async function fetchAhead(urls: readonly { url: string; bytes: number }[], stopped: AbortSignal, get: typeof fetch = fetch): Promise<void> {
  for (const { url, bytes } of urls) {
    if (stopped.aborted) return;
    try {
      const answer = await get(url, { credentials: "same-origin", priority: "low", signal: stopped });
      if (!answer.ok) return;
      // Read to its end, or the cache keeps nothing.
      await answer.arrayBuffer();
    } catch {
      return;
    }
    fetched.slabs++;
    fetched.bytes += bytes;
  }
}
