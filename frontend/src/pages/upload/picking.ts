/** What was dropped or chosen, as a list of files under their paths; folders are read to their ends. */
import { sha256Hex } from "../../edits/sha256";
import type { Item } from "./queue";

const MARK_BYTES = 4096;
const AT_A_TIME = 16;

export const itemOf = (path: string, file: File): Item => ({
  path,
  size: file.size,
  file,
  mark: "",
  received: 0,
  inFlight: 0,
  state: "waiting",
  sentence: "",
});

/** Files of an <input>, in the order of their paths. */
export function chosen(files: FileList): Item[] {
  return sorted([...files].map((file) => itemOf(file.webkitRelativePath || file.name, file)));
}

/** Files of a drop, folders included. `found` is told how many there are so far. */
export async function dropped(data: DataTransfer, found: (count: number) => void): Promise<Item[]> {
  // Entries must be asked for before the first await: the drop's data are gone afterwards.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.length) return chosen(data.files);
  const items: Item[] = [];
  for (const entry of entries) await readEntry(entry, "", items, found);
  return sorted(items);
}

async function readEntry(entry: FileSystemEntry, prefix: string, into: Item[], found: (count: number) => void): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    into.push(itemOf(prefix + file.name, file));
    if (into.length % 100 === 0) found(into.length);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!part.length) return;
    for (const child of part) await readEntry(child, `${prefix}${entry.name}/`, into, found);
  }
}

const sorted = (items: Item[]): Item[] => items.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

/** A digest of a file's beginning and end: two slices of one name and size differ there, as two archives do. */
export async function markOf(file: Blob): Promise<string> {
  const ends = file.size <= 2 * MARK_BYTES ? [file] : [file.slice(0, MARK_BYTES), file.slice(-MARK_BYTES)];
  const parts = await Promise.all(ends.map((end) => end.arrayBuffer()));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return sha256Hex(bytes);
}

/** Give every item its mark; files that cannot be read keep none and are refused when their turn comes. */
export async function markAll(items: Item[], told: (done: number) => void): Promise<void> {
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++];
      item.mark ||= await markOf(item.file).catch(() => "");
      if (++done % 100 === 0) told(done);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}
