/** The layouts as small pictures, what lies beside, the surface. */
import { shownKeys } from "../keyboard";
import { besidePlane, layout, LAYOUTS, panelFolded, surfaceWanted, type LayoutName } from "../layout";
import { acts } from "../reading/acts";
import { beside, closeBeside } from "../reading/compare";
import type { Desk } from "../reading/desk";
import { toggleSurface } from "../reading/view";
import * as state from "../state";
import "./layouts.css";

const PICTURES: Record<LayoutName, { path: string; title: string }> = {
  large: { path: "M2.500 3.500h15v13h-15zM11.500 3.500v13M11.500 10h6", title: "Axial large, coronal and sagittal" },
  axial: { path: "M2.500 3.500h15v13h-15z", title: "Axial alone" },
  four: { path: "M2.500 3.500h15v13h-15zM10 3.500v13M2.500 10h15", title: "Three equal, and the surface" },
};

export function Layouts({ desk }: { desk: Desk }) {
  const together = besidePlane.value !== null;
  const choose = (name: LayoutName): void => {
    if (together) closeBeside();
    state.oneUp.value = null;
    layout.value = name;
  };
  return (
    <div class="layouts" role="group" aria-label="Layout">
      {LAYOUTS.map((name) => (
        <LayoutButton
          key={name}
          pressed={!together && layout.value === name}
          path={PICTURES[name].path}
          title={`${PICTURES[name].title} (${shownKeys("layout")})`}
          press={() => choose(name)}
        />
      ))}
      <LayoutButton
        pressed={together}
        path="M2.500 3.500h6.500v13H2.500zM11 3.500h6.500v13H11zM5 6.500v.1M13.500 6.500v.1"
        title={`Lay another state or scan beside (${shownKeys("compare")})`}
        press={() => (beside.value ? closeBeside() : acts.get("compare")?.(desk, new KeyboardEvent("keydown")))}
      />
      <LayoutButton
        pressed={surfaceWanted.value && layout.value === "four" && !together}
        path="M10 2.500l6.500 3.500v8L10 17.500 3.500 14V6zM3.500 6L10 9.500 16.500 6M10 9.500v8"
        title={`Surface of the mask in 3D (${shownKeys("surface")})`}
        press={toggleSurface}
      />
      <LayoutButton
        pressed={panelFolded.value}
        path="M2.500 3.500h15v13h-15zM13 3.500v13M7.500 8l2.500 2-2.500 2"
        title={`Fold the right panel away (${shownKeys("fold")})`}
        press={() => (panelFolded.value = !panelFolded.value)}
      />
    </div>
  );
}

function LayoutButton({ path, title, pressed, press }: { path: string; title: string; pressed: boolean; press(): void }) {
  return (
    <button class="layout" aria-pressed={pressed} aria-label={title} title={title} onClick={press}>
      <svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round" aria-hidden="true">
        <path d={path} />
      </svg>
    </button>
  );
}
