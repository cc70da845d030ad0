import type { Desk } from "../reading/desk";

export function Lesions(_: { desk: Desk }) {
  return null;
}
