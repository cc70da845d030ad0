/** Line icons of the tool rail, 18 px. */
const PATHS: Record<string, string> = {
  brush: "M14.5 3.5l2 2L9 13l-3-3zM6 10l3 3c-1 3-3 3.500-6 3.500 1.500-1 1-4.500 3-6.500z",
  eraser: "M11 3.500l5.500 5.500-7 7H6l-3-3zM7 7.500l5.500 5.500M9 16.500h8",
  undo: "M8 4L4 8l4 4M4 8h8a4 4 0 010 8H9",
  redo: "M12 4l4 4-4 4M16 8H8a4 4 0 000 8h3",
  pan: "M10 2.500v15M2.500 10h15M10 2.500L8 5M10 2.500L12 5M10 17.500L8 15M10 17.500l2-2.500M2.500 10L5 8M2.500 10L5 12M17.500 10L15 8M17.500 10L15 12",
  zoom: "M8.500 3a5.500 5.500 0 100 11 5.500 5.500 0 000-11zM12.500 12.500L17 17M6 8.500h5M8.500 6v5",
  window: "M10 3a7 7 0 100 14 7 7 0 000-14zM10 3v14M10 6h6M10 9h7M10 12h7M10 15h5",
  reset: "M3 7V3h4M17 7V3h-4M3 13v4h4M17 13v4h-4",
  outline: "M4 7l6-4 6 4v6l-6 4-6-4z",
  layout: "M3 3h14v14H3zM11 3v14M11 10h6",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
