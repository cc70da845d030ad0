import type { Desk } from "../reading/desk";

export function History(_: { desk: Desk }) {
  return null;
}
