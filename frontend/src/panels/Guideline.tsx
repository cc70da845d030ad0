import type { Desk } from "../reading/desk";

export function Guideline(_: { desk: Desk }) {
  return null;
}
