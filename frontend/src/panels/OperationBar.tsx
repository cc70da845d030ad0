/** Long work under way: how far it is, and how to stop it. */
import * as state from "../state";

export function OperationBar() {
  const operation = state.operation.value;
  if (!operation) return null;
  const percent = Math.round(100 * operation.part);
  return (
    <div class="operation" role="progressbar" aria-label={operation.title} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <span class="ellipsis">{operation.title}</span>
      <span class="operation-line">
        <span style={{ width: `${percent}%` }} />
      </span>
      <button onClick={operation.cancel}>Stop (Esc)</button>
    </div>
  );
}
