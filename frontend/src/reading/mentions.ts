/** The @ in a comment: which word is being written, and whom it may name. Pure. */

export interface Mentionable {
  name: string;
  username: string;
}

const MOST_OFFERED = 6;

/** The word after an @ that the caret stands in or behind; null where there is none. An @ within a word is an address. */
export function mentionAt(text: string, caret: number): { from: number; word: string } | null {
  const found = /(?:^|[^\p{L}\p{N}_@])@([\p{L}\p{N}_.-]*)$/u.exec(text.slice(0, caret));
  return found ? { from: caret - found[1].length - 1, word: found[1] } : null;
}

/** People whose name, a word of it, or user name begins so; the first few. */
export function matching(people: readonly Mentionable[], word: string): Mentionable[] {
  const wanted = word.toLowerCase();
  const begins = ({ name, username }: Mentionable): boolean => [name, username, ...name.split(/\s+/)].some((one) => one.toLowerCase().startsWith(wanted));
  return people.filter(begins).slice(0, MOST_OFFERED);
}
